# Posts one event to the URL that Tencent has, as Tencent would, and checks the answer:
#
#   terraform apply -invoke=action.tencent_callback_probe.receiver
#
# The receiver should ignore this event: its call's ID is all zeros, and its users are terraform-probe.
terraform {
  required_version = ">= 1.14"
}

action "tencent_callback_probe" "receiver" {
  config {
    callback_command = "Call.CallbackAfterEndCall"
  }
}
