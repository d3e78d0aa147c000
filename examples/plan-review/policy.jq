# What a plan may do, read from `terraform show -json`; check-plan.sh runs it. One line for each violation:
#
# - a callback goes to a URL that reviewers can see: https, on a host that policy.json lists;
# - nothing is deleted at Tencent, unless policy.json lists the address of the resource in allow_destroy;
# - nothing that someone else has set is overwritten without an error, unless allow_overwrite lists the address.
#
# It prints hosts only, because a URL may carry a secret.

def url_violations:
  if .change.after_unknown.url then "the URL is not known before apply, so nobody can review it"
  elif .change.after.url == null then "the URL is not in the plan (url_wo), so nobody can review it"
  else
    (.change.after.url | capture("^(?<scheme>[^:]*)://(?:[^/?#]*@)?(?<host>[^/?#:]+)") // {scheme: "", host: ""}) as $url
    | (if $url.scheme != "https" then "the URL is not https" else empty end),
      (if $policy[0].hosts | index($url.host | ascii_downcase) then empty
       else "the host \($url.host) is not allowed" end)
  end;

def write_violations:
  (if .type == "tencent_live_callback_token" then empty else url_violations end),
  (if .change.after.overwrite_existing == false then empty
   elif .address as $address | $policy[0].allow_overwrite | index($address) then empty
   else "overwrite_existing is not false, so what someone else has set would be overwritten" end);

# With ABANDON, Terraform forgets the object and Tencent keeps it.
def delete_violations:
  if .change.before.deletion_policy == "ABANDON" then empty
  elif .address as $address | $policy[0].allow_destroy | index($address) then empty
  elif .change.actions | index("create") then "it would be destroyed and created again"
  else "it would be destroyed" end;

.resource_changes[]?
| select(.mode == "managed" and (.type | test("^tencent_([a-z_]+_callback|live_callback_token)$")))
| .change.actions as $actions
| "\(.address): \(
    (if $actions | index("create") or index("update") then write_violations else empty end),
    (if $actions | index("delete") then delete_violations else empty end)
  )"
