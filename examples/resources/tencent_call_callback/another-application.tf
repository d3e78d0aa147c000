# Another application has its own key.
variable "other_secret_key" {
  description = "The other application's SecretKey."
  type        = string
  sensitive   = true
}

provider "tencent" {
  alias      = "other"
  region     = "frankfurt"
  sdk_app_id = 1400000002
  secret_key = var.other_secret_key
}

# When Terraform destroys this resource, the configuration stays.
resource "tencent_call_callback" "other" {
  provider          = tencent.other
  url               = "https://hooks.example.com/tencent/other"
  callback_commands = ["Call.CallbackAfterEndCall"]
  deletion_policy   = "ABANDON"

  timeouts = {
    create = "30s"
    update = "30s"
  }
}
