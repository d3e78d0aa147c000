ephemeral "tencent_user_sig" "plan" {
  expires_in = "62d"
}

resource "aws_ssm_parameter" "plan_user_sig" {
  name             = "/tencent/plan-user-sig"
  type             = "SecureString"
  value_wo         = ephemeral.tencent_user_sig.plan.user_sig
  value_wo_version = formatdate("YYYYMM", plantimestamp())
}
