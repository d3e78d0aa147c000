# Every application that the provider has credentials for.
list "tencent_call_callback" "all" {
  provider = tencent
  limit    = 1000
}

# Two applications, with everything that is configured.
list "tencent_call_callback" "two" {
  provider         = tencent
  include_resource = true

  config {
    sdk_app_ids = [1400000001, 1400000002]
  }
}
