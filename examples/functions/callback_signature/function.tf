terraform {
  # Functions came with Terraform 1.8 and OpenTofu 1.7.
  required_version = ">= 1.8"

  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

variable "callback_token" {
  description = "The token that signs the events."
  type        = string
  sensitive   = true
}

variable "event" {
  description = "Two of the query parameters of an event that the receiver has refused, from its log."
  type = object({
    request_time = string
    sign         = string
  })
}

# If so, check the clock of your server, and the token that it uses.
output "was_signed_with_this_token" {
  description = "Whether the event was signed with this token."
  value = nonsensitive(
    provider::tencent::callback_signature(var.callback_token, var.event.request_time) == var.event.sign
  )
}
