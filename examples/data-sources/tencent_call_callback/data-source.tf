terraform {
  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

data "tencent_call_callback" "current" {
  sdk_app_id = 1400000001
}

output "url" {
  description = "The URL that Tencent posts to."
  value       = data.tencent_call_callback.current.configured ? data.tencent_call_callback.current.url : "none"
  sensitive   = true # the URL can carry a secret
}
