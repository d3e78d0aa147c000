variable "user_sig" {
  description = "A UserSig made by someone who has the key."
  type        = string
  sensitive   = true
}

provider "tencent" {
  sdk_app_id = 1400000001
  user_sig   = var.user_sig
}

output "user_sig_claims" {
  description = "Whom the UserSig is for, and when it expires. None of this is secret."
  value       = nonsensitive(provider::tencent::user_sig_claims(var.user_sig))

  precondition {
    condition     = provider::tencent::user_sig_claims(var.user_sig).sdk_app_id == 1400000001
    error_message = "The UserSig was made for another application."
  }
}
