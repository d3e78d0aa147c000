variable "callback_url" {
  description = "Where Tencent posts call events."
  type        = string
  default     = "https://hooks.example.com/tencent/call"

  validation {
    condition     = startswith(var.callback_url, "https://")
    error_message = "Call events name the people in a call: the URL must be https."
  }
}

resource "tencent_call_callback" "this" {
  url               = var.callback_url
  callback_commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]
}
