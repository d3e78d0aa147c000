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

output "was_signed_with_this_token" {
  description = "Whether the event was signed with this token. If so, check your server's clock and its token."
  value = nonsensitive(
    provider::tencent::callback_signature(var.callback_token, var.event.request_time) == var.event.sign
  )
}
