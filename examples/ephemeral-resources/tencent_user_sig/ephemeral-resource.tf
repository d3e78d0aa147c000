terraform {
  # Ephemeral resources came with Terraform 1.10 and OpenTofu 1.11.
  required_version = ">= 1.10"

  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

# Credentials come from the environment: TENCENT_SDK_APP_ID and TENCENT_SECRET_KEY.
provider "tencent" {
  region = "singapore"
}

# For a client that logs in as alice.
ephemeral "tencent_user_sig" "alice" {
  user_id    = "alice"
  expires_in = "7d"
}

# Terraform hands it to a tool, and stores it nowhere.
resource "terraform_data" "smoke_test" {
  provisioner "local-exec" {
    command = "./smoke-test.sh alice"

    environment = {
      USER_SIG = ephemeral.tencent_user_sig.alice.user_sig
    }
  }
}
