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
