# Every event of calls.
resource "tencent_call_callback" "this" {
  url               = "https://hooks.example.com/tencent/call"
  callback_commands = provider::tencent::callback_commands("call")
}

# Every action of the older API of calls.
resource "tencent_legacy_call_callback" "this" {
  url              = "https://hooks.example.com/tencent/legacy_call"
  callback_actions = provider::tencent::callback_commands("legacy_call")
}

# Every event of live streams, except those that Tencent waits for.
resource "tencent_live_callback" "this" {
  url = "https://hooks.example.com/tencent/live"
  callback_commands = [
    for command in provider::tencent::callback_commands("live") : command if !strcontains(command, "Before")
  ]
}
