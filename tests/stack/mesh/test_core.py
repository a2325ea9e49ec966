"""The text WireGuard is told."""

from harness.stack.mesh.core import TunnelPeer, render_setconf


def test_each_peer_may_use_its_own_address_only() -> None:
    text = render_setconf("secret=", 51820, [TunnelPeer("a=", "10.0.0.2:51820", "10.90.0.2")])
    assert text.splitlines() == [
        "[Interface]",
        "PrivateKey = secret=",
        "ListenPort = 51820",
        "",
        "[Peer]",
        "PublicKey = a=",
        "Endpoint = 10.0.0.2:51820",
        "AllowedIPs = 10.90.0.2/32",
    ]
