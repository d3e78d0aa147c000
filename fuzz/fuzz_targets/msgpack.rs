//! `TYPE\nVALUE`: a type in cty's JSON form, and bytes as a value of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terraform_provider_tencent::terraform::Type;
use terraform_provider_tencent::terraform::codec::{from_msgpack, to_msgpack};

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(ty) = Type::from_json(&data[..end]) else { return };
    assert_eq!(Type::from_json(ty.to_json().to_string().as_bytes()), Ok(ty.clone()));
    match from_msgpack(&data[end + 1..], &ty) {
        Ok(value) => {
            let bytes = to_msgpack(&value, &ty).expect("a value of its type");
            assert_eq!(from_msgpack(&bytes, &ty).as_ref(), Ok(&value));
            let _ = (value.is_wholly_known(), format!("{value:?}"));
        }
        Err(error) => assert!(!error.reason.is_empty(), "{error}"),
    }
});
