# The import ID is the SDKAppID.
terraform import tencent_live_callback_token.this 1400000001
