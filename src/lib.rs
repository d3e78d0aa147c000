//! A Terraform provider for Tencent RTC's call-callback configuration.

pub mod tencent;
pub mod terraform;
