# Runs without credentials: the mock stands in for the provider.
mock_provider "tencent" {}

# A mock knows no defaults, and imports nothing: without this block, these arguments would be random, and an import block
# would fail the tests.
override_resource {
  target = tencent_call_callback.this
  values = {
    deletion_policy    = "DELETE"
    overwrite_existing = false
  }
}

run "sends_the_events_that_billing_needs" {
  command = plan

  assert {
    condition     = contains(tencent_call_callback.this.callback_commands, "Call.CallbackAfterEndCall")
    error_message = "Billing counts ended calls."
  }
}

run "refuses_plain_http" {
  command = plan

  variables {
    callback_url = "http://hooks.example.com/tencent/call"
  }

  expect_failures = [var.callback_url]
}
