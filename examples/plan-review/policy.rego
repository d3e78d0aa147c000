# policy.jq in Rego, for conftest:
#
#   terraform show -json plan.tfplan | conftest test --parser json --policy policy.rego --data policy.json -
package main

deny contains "policy.json has no hosts" if not data.hosts

deny contains "policy.json has no allow_destroy" if not data.allow_destroy

managed contains resource if {
	some resource in input.resource_changes
	resource.mode == "managed"
	regex.match(`^tencent_([a-z_]+_callback|live_callback_token)$`, resource.type)
}

written contains resource if {
	some resource in managed
	some action in resource.change.actions
	action in {"create", "update"}
}

deleted contains resource if {
	some resource in managed
	"delete" in resource.change.actions
	object.get(resource.change.before, "deletion_policy", null) != "ABANDON"
	not resource.address in data.allow_destroy
}

deny contains sprintf("%s: %s", [resource.address, violation]) if {
	some resource in written
	resource.type != "tencent_live_callback_token"
	some violation in url_violations(resource.change)
}

deny contains sprintf("%s: %s", [resource.address, violation]) if {
	some resource in written
	object.get(resource.change.after, "overwrite_existing", null) != false
	not resource.address in data.allow_overwrite
	violation := "overwrite_existing is not false, so what someone else has set would be overwritten"
}

deny contains sprintf("%s: it would be destroyed", [resource.address]) if {
	some resource in deleted
	not "create" in resource.change.actions
}

deny contains sprintf("%s: it would be destroyed and created again", [resource.address]) if {
	some resource in deleted
	"create" in resource.change.actions
}

url_violations(change) := {"the URL is not known before apply, so nobody can review it"} if {
	change.after_unknown.url
} else := {"the URL is not in the plan (url_wo), so nobody can review it"} if {
	object.get(change.after, "url", null) == null
} else := union({
	{"the URL is not https" | url.scheme != "https"},
	{sprintf("the host %s is not allowed", [url.host]) | not lower(url.host) in data.hosts},
}) if {
	url := scheme_and_host(change.after.url)
}

scheme_and_host(url) := {"scheme": parts[0][1], "host": parts[0][2]} if {
	parts := regex.find_all_string_submatch_n(`^([^:]*)://(?:[^/?#]*@)?([^/?#:]+)`, url, 1)
	count(parts) == 1
} else := {"scheme": "", "host": ""}
