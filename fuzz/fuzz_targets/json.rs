//! `TYPE\nVALUE`: a type in cty's JSON form, and a text as a value of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value as Json, json};
use terraform_provider_tencent::terraform::codec::{ExtraAttributes, from_json};
use terraform_provider_tencent::terraform::{Type, Value};

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(ty) = Type::from_json(&data[..end]) else { return };
    let text = &data[end + 1..];
    let lenient = from_json(text, &ty, ExtraAttributes::Ignored);
    if let Ok(value) = from_json(text, &ty, ExtraAttributes::Refused) {
        assert_eq!(lenient.as_ref(), Ok(&value), "nothing is left out that must not be");
    }
    match lenient {
        Ok(value) => {
            let text = to_json(&value, &ty).to_string();
            assert_eq!(from_json(text.as_bytes(), &ty, ExtraAttributes::Refused).as_ref(), Ok(&value), "{text}");
        }
        Err(error) => assert!(!error.reason.is_empty(), "{error}"),
    }
});

/// The provider itself answers in msgpack only.
fn to_json(value: &Value, ty: &Type) -> Json {
    match (value, ty) {
        (Value::Null, _) => Json::Null,
        (Value::Bool(b), Type::Bool) => json!(b),
        (Value::Number(n), Type::Number) => serde_json::from_str(&n.to_string()).expect("decimal notation is JSON"),
        (Value::String(text), Type::String) => json!(text),
        (Value::Dynamic(pair), Type::Dynamic) => json!({"type": pair.0.to_json(), "value": to_json(&pair.1, &pair.0)}),
        (Value::List(list), Type::List(ty)) => list.iter().map(|value| to_json(value, ty)).collect(),
        (Value::List(list), Type::Tuple(types)) => list.iter().zip(types).map(|(v, ty)| to_json(v, ty)).collect(),
        (Value::Set(set), Type::Set(ty)) => set.iter().map(|value| to_json(value, ty)).collect(),
        (Value::Object(map), Type::Map(ty)) => map.iter().map(|(key, v)| (key.clone(), to_json(v, ty))).collect(),
        (Value::Object(object), Type::Object(types)) => {
            assert!(object.keys().eq(types.keys()));
            object.iter().zip(types.values()).map(|((name, v), ty)| (name.clone(), to_json(v, ty))).collect()
        }
        (value, ty) => panic!("{value:?} is no {ty:?}"),
    }
}
