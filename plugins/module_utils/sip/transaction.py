# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request, whatever carries it: its identity, its repetition with credentials, and its outcome.

Non-INVITE client transactions (RFC 3261 17.1.2). A response belongs to one by its branch and CSeq method, and by
nothing else (17.1.3): servers with several addresses, and gateways behind address translation, answer from another
address than the one asked. The address would add nothing either, for it can be forged, while the branch holds 96 random
bits that nobody knows but the one who was asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.digest import (
    Challenge,
    Credentials,
    authorization,
    challenge,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import Message
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.outcome import Outcome
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import (
    Request,
    render,
    reply_matches,
)

BRANCH_COOKIE = "z9hG4bK"  # RFC 3261 8.1.1.7
MAX_CSEQ = 3  # the request, its repetition with credentials, and one more for a nonce that ran out meanwhile

_TAG_DIGITS = 8
_TOKEN_DIGITS = 24


class Reply(Enum):
    """What a message means to a transaction: not its own, provisional, to be repeated with credentials, or the end."""

    FOREIGN = 0
    PROVISIONAL = 1
    CHALLENGE = 2
    FINAL = 3


def new_tag() -> str:
    """What the branches of one run begin with: it tells strangers' datagrams apart before they are read."""
    return BRANCH_COOKIE + secrets.token_hex(_TAG_DIGITS // 2)


def new_tokens(count: int) -> Iterator[str]:
    """As many tokens as asked for, that nobody can guess, nor one from another; in one read of the system's source."""
    digits = secrets.token_hex(count * _TOKEN_DIGITS // 2)
    return (digits[start : start + _TOKEN_DIGITS] for start in range(0, len(digits), _TOKEN_DIGITS))


def new_branch() -> str:
    """A single branch that no stranger can guess."""
    return new_tag() + next(new_tokens(1))


@dataclass
class Transaction:
    """A request under way. token: what is random in it; local: host:port that it is sent from."""

    request: Request
    token: str
    tag: str = BRANCH_COOKIE
    local: str = ""
    credentials: Optional[Credentials] = None
    cseq: int = 1
    sent: int = 0
    first_sent: Optional[float] = None
    provisional: Optional[int] = None
    error: str = ""
    answered: bool = False
    outcome: Optional[Outcome] = None
    authorization: tuple[tuple[str, str], ...] = ()

    @property
    def branch(self) -> str:
        """The key of the transaction; a repetition with credentials is a transaction of its own (RFC 3261 8.1.3.5)."""
        return f"{self.tag}{self.token}" if self.cseq == 1 else f"{self.tag}{self.token}-{self.cseq}"

    def wire(self) -> bytes:
        """The request as it stands now, with an answer to the challenge where there was one."""
        return render(self.request, self.local, self.branch, self.token, self.token[:8], self.cseq, self.authorization)

    def note_sent(self, now: float) -> None:
        """The request went out. now: seconds of the monotonic clock."""
        self.sent += 1
        self.error = ""
        if self.first_sent is None:
            self.first_sent = now

    def take(self, message: Message, now: float) -> Reply:
        """Read a message. After CHALLENGE, `branch` and `wire` are those of the repetition; after FINAL, see `end`."""
        if not reply_matches(message, self.branch, self.request.method) or message.status is None:
            return Reply.FOREIGN
        self.answered = True
        if message.status < 200:
            self.provisional = message.status
            return Reply.PROVISIONAL
        rtt = now - self.first_sent if self.first_sent is not None else None
        self.outcome = Outcome(
            self.request, message.status, message.reason, message, rtt, self.sent, self.provisional, answered=True
        )
        asked = self._to_answer(message)
        if not (asked and self.credentials):
            return Reply.FINAL
        self.authorization = (authorization(asked, self.credentials, self.request.method, self.request.uri),)
        self.cseq += 1
        self.first_sent = None
        return Reply.CHALLENGE

    def end(self) -> Outcome:
        """The outcome as things stand. A challenge whose repetition met silence stays a final response."""
        if self.outcome is None:
            return Outcome(
                self.request,
                sent=self.sent,
                provisional=self.provisional,
                error=self.error,
                answered=self.answered,
            )
        if self.outcome.sent == self.sent and not self.error:
            return self.outcome
        unheard = self.outcome.sent < self.sent
        error = "no final response to the request with credentials" if unheard else self.error
        return replace(self.outcome, sent=self.sent, error=error)

    def _to_answer(self, message: Message) -> Optional[Challenge]:
        """The challenge to answer now, if there is one; what is in the way otherwise stands in `error`."""
        if self.credentials is None or message.status not in (401, 407):
            return None
        asked = challenge(message, self.credentials)
        if asked is None:
            self.error = "no challenge that these credentials can answer"
        elif self.cseq == MAX_CSEQ or (self.cseq > 1 and not asked.stale):
            # A second challenge says that the credentials are wrong, unless only the nonce ran out (RFC 7616 3.3).
            self.error = "the credentials were refused"
            return None
        return asked
