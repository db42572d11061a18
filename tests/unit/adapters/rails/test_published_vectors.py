"""What others have published with keys and results: the rail's documentation, and the official Java SDK's own tests.

The two RSA keys are examples that are printed beside the signatures (here as their primes); nobody's money hangs on
them. RSA with PKCS#1 v1.5 has one signature per message, so signing is compared byte by byte. The Go SDK's vectors are
in `test_wechat_crypto.py`.
"""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from uncap.adapters.rails.wechat_crypto import (
    FIELD_PADDING,
    Keyring,
    RailKeys,
    encrypt_field,
    open_resource,
    sign,
    verify,
)
from uncap.domain.errors import AuthError

# pay.weixin.qq.com/doc/v3/merchant/4012365336 and 4012365334, as programs that follow them quote it: the example key, a
# POST and a GET with their signatures.
DOCUMENTATION_PRIMES = (
    (
        "d502527ee14e595463ae0dcdfeb00873f024f3805365abdbcab92a052ba84ecf62fe7308fe13b3571a439ed83b071d93"
        "72d97ab193b71a2a13c4a75cfd861a4ca722d532816de8229e9b2a110560c24302cbc1e9bd49917f200ca8bc190b887d"
        "fa3f8d899b6ea052434c282ff9661b6ac5fe91660450cdb56e7498b8eef2110b"
    ),
    (
        "c8874fafdbb3a8f833377e139b1f823536b5e958e1061fb3901b5744b0cb85605e218c6860d240443f7c3dbd5765dbe9"
        "9196564a4ecc7da2a8dbf0e89b3cb2c81fcc6c75b001d162df26f8cbbb8c25fc82d4ccdd51234ddd5a79efd849c47909"
        "fa737862cefac9f70479538b9ef513d59d0a282748591753d4b822f97d62b733"
    ),
)
DOCUMENTED_BODY = (
    '{"appid":"wxd678efh567hg6787","mchid":"1900007291","description":"Image形象店-深圳腾大-QQ公仔",'
    '"out_trade_no":"1217752501201407033233368018","notify_url":"https://www.weixin.qq.com/wxpay/pay.php",'
    '"amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}'
).encode()
DOCUMENTED_POST = (
    "jnks4dlrPw3ZX+ozVvSK39oa0t7OMBsg83BHAwd8BRdUFiVaQNTLTvci+wURgP1OQBbKYhFGvt7iqYpDSTQkp7Uq1sltaQKyncCyrA1g88m5"
    "bsKERQfPyT0ahSwKTYJ1CAn9QiJuSJRq1QsQs07eehbU/k9BCS51jTyc1Jpsi2H77HF9f/BnjXAOP3/sPObg6V5Ee4EzwLox684hhuMuIwHo"
    "7D8KFk3LIHOKDcNI4It1aCXydFWNpNK+SG86VUDe5kwoDpw4Ulqfu9z8OFDGbDs9TCxEv8iqQzbpxOlEVoOe2kalSYM5kApQb3nZcxdUtoE0"
    "liJGW3RGUNE0t4v01A=="
)
DOCUMENTED_GET = (
    "Lc9VXxmeonkdV8Xk9tmigQFLhl0vRWTerdmoRu01aAnYwIrD/5nsSwE1WlmZGLRlAFTNQ3QsMa0+VRDlJp1Wp5p0nO8EK68b5sJBbjouxaFc"
    "iIfq1zfDWWz+jqhcMoKXI1A6dPm1AW7D4d30WsMTNzp6g23OXakIsh9LO3lUmwvTuE0BY8ncf6tNGk4wKmvXwERd/ZpoQY3MAVKz+Nakwc+2"
    "XBmzT66KcUehU5kr4IvGa/lEU5RZb/q00zP9VLdBhC/jQSX3X1UcJLCtEc4gTmib4tnmAT+bHF/e17ZAuxDNcx6rqT8gNEXqaJGG+1OflMST"
    "U2tpyG65G4dMKdFcoA=="
)
# An answer of the platform with its public key, as people who check their programs against it publish it.
PLATFORM_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwXNI6sdlknHBnK8Fu2U6
Cwor9qY747jP8KAfeBMeveEt1TqaHkLfaSD07trZLhGpfs8/AHqjhgSMO1O10YQW
OrrJ4hjIWPKqxbgrYMkBQc+mwdiWp4W3ByCqxBRagCveCXRWCmuJYovl9H/bsDI0
iGbpVtEOghJtfciisYSgxcLufUDTRkvwxjIBK1pCRjk33jJ5YTBWTHMRtMAOcFLN
F6hdEYdX8SPsgHHeLZ5Lv2T/686w1xtgCHef/sd4uSfWmyzsalQdHG/e4IyYmrhx
+O3VBoNDzE3nx23bFeV/RVNCG7cV6VhmYokJNHa/erIPkEmEFID6A5wQOXuxUkmJ
WwIDAQAB
-----END PUBLIC KEY-----"""
PLATFORM_BODY = b'{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}'
PLATFORM_HEADERS = {
    "Wechatpay-Timestamp": "1722850421",
    "Wechatpay-Nonce": "d824f2e086d3c1df967785d13fcd22ef",
    "Wechatpay-Serial": "PUB_KEY_ID_01",
    "Wechatpay-Signature": (
        "mfI1CPqvBrgcXfgXMFjdNIhBf27ACE2YyeWsWV9ZI7T7RU0vHvbQpu9Z32ogzc+k8ZC5n3kz7h70eWKjgqNdKQF0eRp8mVKlmfzMLBVH"
        "bssB9jEZEDXThOX1XFqX7s7ymia1hoHQxQagPGzkdWxtlZPZ4ZPvr1RiqkgAu6Is8MZgXXrRoBKqjmSdrP1N7uxzJ/cjfSiis9FiLjuA"
        "DoqmQ1P7p2N876YPAol7Rn0+GswwAwxldbdLrmVSjfytfSBJFqTMHn4itojgxSWWN1byuckQt8hSTEv/Lg97QoeGniYP17T80pJeQyL3"
        "b+295FPHSO2AtvCgyIbKMZ0BALilAA=="
    ),
}
# wechatpay-apiv3/wechatpay-java, core/src/test: AeadAesCipherTest, RSAVerifierTest, RSAPrivacyDecryptorTest.
JAVA_PRIMES = (
    (
        "d0bc8b9f37a7caa66dbb938cb144d576ddf8fd9e88dec1a56a1a0ff7caeca202eeb0ff215c4d79063153a271362b697d"
        "a69621d3228c8ff32c0a1aaa9a5d2fca937b460f52b4e0aae23e2170597539e3e0e63891326282659973a6e01a19d655"
        "b4cf91c4082f5e3bf54f48363ecd07516120937521c4818b8e19048b3cfc1dad"
    ),
    (
        "bd5d3aef914908b616b273ee08855ea6e244fcbb0ceea1cddfb9a2611457292caab37294011fbd536025dfaa4b9c9ced"
        "27a34b067ab041e07250a1544afa3b1d84d661730d4928b6ae13e62509244b67adafcb3053ccbc357e7141a7cdb3d556"
        "41ba30ab30ff837705c14ec9e445a52d983106d2ce98b02c1d7dac85d0f07d91"
    ),
)
JAVA_SIGNATURE = (
    "Rq+5ZpWV6IHTWE1+9gCrYJKguNgbItpMdlIA+PVCPCdUAKNlohZz7CL7Y8xWDIFJjdGnErMj6Z+Q/h9CF5MV+nAVkqDmBR0uP5ppsUEzco4i"
    "jvKHsvI2ro4boSW6vSfQs3W8I4QSI9a0/NFIgvj83Fv27LIYZf7deaFWmEwd1fpAeJRCyoKyBeJPdsjVx0//Lqe6Wze2zVdliLcBvaHCfpd8"
    "+rAVGS+FQDeWgHqJ7n/Zy09LmV1/ghs7pO1mdjdD16SHKlysAD3K5hNGUJX/SHrEXEcu1yO1AOb/YvOVkjNh8243rcfXNE5L4ph2XS11vS+2"
    "aToKYSOcKUagf0LLaw=="
)
JAVA_SEALED_FIELD = (
    "Qqsluo7R1IZyAqdkm/jBzwXDP5VndCwwFbRA+yILFTYciZzrRChQIQ7SKuI2k3YSR5auB3ZspdjR1WPB3PTCKe6BCFx3NnaPWhSwonYTmW8Z"
    "seXjkbcYSbKL5O/6dr6Zftg3t2A2FUd97acjM1fr2EIvIvRieQ3Hl8qVkDBY9520wm1rzvePUnxQWN70RZiBcqr7O7Gb0gU3l7FkvoUFSbY4"
    "4HgDJetmVow3yGIV3Tcd45o2MNQ+5F1qvjIjb3/6dkGKce4/kNTYraUMO6o6kfFXlfg+bFRIiz8hiUpbToWdu7g0R5Hq0/YIE5vw/5Ms4gbk"
    "2HIQIfOLkY8sEPjYHA=="
)


def key_of(primes: tuple[str, str]) -> rsa.RSAPrivateKey:
    p, q = (int(text, 16) for text in primes)
    e = 65_537
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return numbers.private_key()


def keyring() -> Keyring:
    none = serialization.NoEncryption()
    key = key_of(DOCUMENTATION_PRIMES)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none).decode()
    return Keyring(
        RailKeys(
            mchid="1900007291",
            appid="wxd678efh567hg6787",
            serial_no="408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
            private_key_pem=pem,
            api_v3_key="k" * 32,
            platform_serial="PUB_KEY_ID_01",
            platform_public_key_pem=PLATFORM_KEY,
        )
    )


@pytest.mark.parametrize(
    ("method", "target", "body", "signature"),
    [
        ("POST", "/v3/pay/transactions/jsapi", DOCUMENTED_BODY, DOCUMENTED_POST),
        ("GET", "/v3/refund/domestic/refunds/123123123123", b"", DOCUMENTED_GET),
    ],
)
def test_the_documentations_requests_are_signed_to_the_letter(
    method: str, target: str, body: bytes, signature: str
) -> None:
    header = keyring().authorization(
        method, target, body, now_s=1_554_208_460, nonce="593BEC0C930BF1AFEB40B4A08C8FB242"
    )
    assert header == (
        'WECHATPAY2-SHA256-RSA2048 mchid="1900007291",nonce_str="593BEC0C930BF1AFEB40B4A08C8FB242",'
        f'signature="{signature}",timestamp="1554208460",serial_no="408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"'
    )


def test_an_answer_of_the_platform_is_proven_and_no_other_body_is() -> None:
    keyring().check_signature(PLATFORM_HEADERS, PLATFORM_BODY, now_s=1_722_850_421)
    with pytest.raises(AuthError) as caught:
        keyring().check_signature(PLATFORM_HEADERS, PLATFORM_BODY + b"\n", now_s=1_722_850_421)
    assert caught.value.code == "rail_forged"


def test_the_java_sdks_signature_is_made_and_verified() -> None:
    key = key_of(JAVA_PRIMES)
    assert sign(key, b"message") == JAVA_SIGNATURE
    assert verify(key.public_key(), b"message", JAVA_SIGNATURE)
    assert not verify(key_of(DOCUMENTATION_PRIMES).public_key(), b"message", JAVA_SIGNATURE)


def test_the_java_sdks_resource_opens_with_a_key_of_256_bits() -> None:
    sealed = "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI="
    key, nonce = b"a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb", "uluk4a9R25RW"
    assert open_resource(key, nonce=nonce, associated_data="associatedData", ciphertext=sealed) == b"message"
    with pytest.raises(AuthError):
        open_resource(key, nonce=nonce, associated_data="associateddata", ciphertext=sealed)


def test_the_java_sdks_field_opens_with_the_padding_ours_is_sealed_with() -> None:
    """Sealing is random, so it cannot be compared; that both open alike can."""
    key = key_of(JAVA_PRIMES)
    assert key.decrypt(base64.b64decode(JAVA_SEALED_FIELD), FIELD_PADDING) == b"plaintext"
    ours = encrypt_field(key.public_key(), "plaintext")
    assert key.decrypt(base64.b64decode(ours), FIELD_PADDING) == b"plaintext"
    assert len(ours) == len(JAVA_SEALED_FIELD)
