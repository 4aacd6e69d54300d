"""`telemetry`: figures without names of rooms or users."""


def test_what_is_no_http_is_not_logged_but_faults_of_ours_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """aiohttp quotes the request line, which may hold a token."""
    configure_logging("debug", as_json=True)
    logger = logging.getLogger("aiohttp.server")
    for error in (BadHttpMessage("GET /?token=hunter2"), LookupError("ours")):
        logger.error("Error handling request", exc_info=error)
    shown = capsys.readouterr().err
    assert "hunter2" not in shown
    assert "ours" in shown
