# What a plan may do to callback configurations: https only, to allowed hosts only.
#
#   terraform show -json plan.tfplan | jq -r --argjson hosts '["hooks.example.com"]' -f policy.jq
#
# prints a line for each violation, and nothing for a good plan. It prints hosts only: a URL may carry a secret.

def violations:
  if .change.after_unknown.url then "the URL is not known before apply, so nobody can review it"
  elif .change.after.url == null then "the URL is not in the plan (url_wo), so nobody can review it"
  else
    (.change.after.url | capture("^(?<scheme>[^:]*)://(?:[^/?#]*@)?(?<host>[^/?#:]+)") // {scheme: "", host: ""}) as $url
    | (if $url.scheme != "https" then "the URL is not https" else empty end),
      (if $hosts | index($url.host | ascii_downcase) then empty else "the host \($url.host) is not allowed" end)
  end;

.resource_changes[]?
| select((.type | test("^tencent_[a-z]+_callback$")) and .mode == "managed")
| select(.change.actions | any(. == "create" or . == "update"))
| "\(.address): \(violations)"
