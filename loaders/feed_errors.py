"""What can go wrong between Coursette and a blog: one sentence each, for the teacher who asks the student."""

from __future__ import annotations

import ssl

from loaders.errors import Unreadable

BUSY = frozenset((429, 502, 503, 504))
EXPIRED, NOT_YET = 10, 9  # OpenSSL's numbers for what is wrong with a certificate
OTHER_NAME = (62, 64)
LEFT_ALONE = "the site of this blog is busy, and wants to be left alone for {:,.0f} seconds: fetch again later"
BROKEN = "this feed is broken in a way that cannot be read: ask what makes it"
LOGIN = "a page to sign in came in place of the feed: ask for the blog to be made public"


class Away(Unreadable):
    """The blog is busy or the line broke: worth another try, after `wait_s` where the blog says so."""

    def __init__(self, sentence: str, wait_s: float | None = None):
        super().__init__(sentence)
        self.wait_s = wait_s


class Gone(Unreadable):
    """There is nothing (any longer) at this address."""


class LookUpFailed(OSError):
    """A name could not be looked up just now."""


class NotAFeed(Unreadable):
    """What came is no feed; it may be a page that names one."""


def status_error(status: int, wait_s: float | None) -> Unreadable | None:
    """What a status means, or None where a document came."""
    if status in (404, 410):
        return Gone(f"the blog is gone ({status}): ask for its new address")
    if status in (401, 407):
        return Unreadable("the blog asks for a password: ask for it to be made public")
    if status in (403, 451):
        return Unreadable(f"the blog does not let Coursette read it ({status}): ask whether it is private")
    if status in BUSY:
        wishes = f", and wants to be left alone for {wait_s:,.0f} seconds" if wait_s else ""
        return Away(f"the blog is busy ({status}){wishes}: fetch again later", wait_s)
    if status >= 500:
        return Unreadable(f"the blog has an error of its own ({status}): fetch again later")
    if status not in (200, 203, 304):
        return Unreadable(f"the blog answers with status {status} in place of a feed")
    return None


def connection_error(error: BaseException, host: str) -> Unreadable:
    """What a failed connection means: there is a long chain of causes, and the sentence is in the innermost."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return certificate_error(cause, host)
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return Unreadable(f"{host} speaks no TLS that can be trusted: try its address with http://")
        if isinstance(cause, LookUpFailed):
            return Away(f"the name {host} could not be looked up just now: check your connection")
        cause = cause.__cause__ or cause.__context__
    name = type(error).__name__
    if "Timeout" in name:
        return Away(f"{host} does not answer in time: fetch again later")
    if name == "ConnectError":
        return Away(f"{host} cannot be reached: check the address and your connection")
    return Away(f"{host} broke off in the middle of an answer: fetch again later")


def certificate_error(error: ssl.SSLCertVerificationError, host: str) -> Unreadable:
    """What is wrong with a certificate."""
    if error.verify_code in (EXPIRED, NOT_YET):
        wrong = "has expired" if error.verify_code == EXPIRED else "is not valid yet"
        return Unreadable(f"the certificate of {host} {wrong}: ask for it to be renewed")
    if error.verify_code in OTHER_NAME:
        return Unreadable(f"the certificate of {host} is for another name: check the address")
    return Unreadable(
        f"{host} cannot show that it is what it says (its certificate is signed by nobody known); where your"
        " institution signs its own, name them in SSL_CERT_FILE"
    )
