# The import ID is the SDKAppID.
terraform import tencent_call_callback.this 1400000001
