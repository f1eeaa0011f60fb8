"""`icetcp judge`: holds captures from anywhere against the rules of the judge."""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands.judge_progress import Watch
from conformance.commands.options import complain, fail_on
from conformance.verdict import ExitStatus, Level, Result, Verdict, exit_status
from conformance.wire.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.judge import Judgement, Known, Observation
    from conformance.run.judging import JudgedCapture
    from conformance.wire.sdp import SessionDescription
    from pcaps.connections import Connection

_MOST_SHOWN = 20  # connections in the ladder
_CREDENTIALS = "--credentials"
_NOTHING_SEEN = "RFC6544-7.1/judge_an_exchange_is_seen"
_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INCONC: "yellow"}

_EXAMPLES = """
\b
Examples:
  icetcp judge call.pcapng
  icetcp judge call.pcapng --offer offer.sdp --answer answer.sdp
  icetcp judge call.pcap.gz --credentials 'aB3d:22charactersOfPassword' --agent 192.0.2.7
  tcpdump -i any -U -w - tcp | icetcp judge - --out reports/call
"""


class _Unusable(Exception):
    """Something that was given on the command line cannot be used; the message says what and why."""


@click.command(epilog=_EXAMPLES)
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--offer", "offers", multiple=True, type=click.Path(path_type=Path), metavar="SDP", help="The offer.")
@click.option("--answer", "answers", multiple=True, type=click.Path(path_type=Path), metavar="SDP", help="The answer.")
@click.option("--credentials", multiple=True, metavar="UFRAG:PWD", help="Of one agent; repeatable.")
@click.option("--agent", "agents", multiple=True, metavar="ADDRESS", help="Judge only the agent with this IP address.")
@click.option(
    "--ladder",
    type=click.Choice(["findings", "all", "none"]),
    default="findings",
    show_default=True,
    help="Which connections to draw.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for report.html, junit.xml and record.jsonl.")
@fail_on("Weakest level at which a breach counts.")
def judge(captures: Sequence[Path], **options: Any) -> int:
    """Judge the ICE-TCP exchanges in captures (pcap, pcapng, gzipped or not; - for stdin) of any origin.

    Rules that hold for any exchange are held against every connection that carries ICE; everything else in the
    captures is passed over. Without passwords integrity is not judged, and without offer and answer what depends on
    candidates is not; such rules are inconclusive. After a restart give each offer and answer. Ctrl-C ends the reading;
    what was read until then is judged.

    Exit status: 0 conforms, 1 does not conform, 2 usage, 3 could not be judged: what the captures do not hold.
    """
    try:
        known = _known(options)
        exchanges: dict[str, bytes] = {}
        results = _all(captures, known, exchanges, options)
        if options["out"] is not None:
            _write(results, exchanges, options)
    except _Unusable as error:
        return complain(visible(str(error)), ExitStatus.USAGE)
    return _verdict(results, options)


# -- what was given ----------------------------------------------------------------------------------------------------


def _known(options: dict[str, Any]) -> Known:
    from conformance.judge.known import Known, canonical, is_address

    credentials = dict(_credential(text) for text in options["credentials"])
    described = [(name, _description(path)) for name in ("offer", "answer") for path in options[f"{name}s"]]
    agents = frozenset(map(canonical, options["agents"]))
    for address in agents:
        if not is_address(address):
            raise _Unusable(f"--agent {address!r} is not an IP address")
    return replace(Known.of(described, credentials), only=agents)


def _credential(text: str) -> tuple[str, str]:
    ufrag, colon, pwd = text.partition(":")
    if not (ufrag and colon and pwd):
        raise _Unusable("--credentials are not UFRAG:PWD, as in a=ice-ufrag and a=ice-pwd")
    return ufrag, pwd


def _without_passwords(arguments: Sequence[str]) -> list[str]:
    """Return command-line arguments as a report may show them."""
    shown = list(arguments)
    for number, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == _CREDENTIALS and equals:
            shown[number] = f"{name}={value.partition(':')[0]}:PWD"
        elif number and arguments[number - 1] == _CREDENTIALS:
            shown[number] = f"{argument.partition(':')[0]}:PWD"
    return shown


def _description(path: Path) -> SessionDescription:
    from conformance.wire.errors import SdpError
    from conformance.wire.sdp import SessionDescription

    try:
        return SessionDescription.parse(path.read_bytes())
    except OSError as error:
        raise _Unusable(f"cannot read {path}: {error.strerror}") from None
    except SdpError as error:
        raise _Unusable(f"{path} is not a session description: {error}") from None


# -- one capture -------------------------------------------------------------------------------------------------------


def _all(captures: Sequence[Path], known: Known, exchanges: dict[str, bytes], options: dict[str, Any]) -> list[Result]:
    names = Counter(capture.name for capture in captures)
    results: list[Result] = []
    seen = False
    with Watch() as watch:
        for capture in captures:
            if watch.interrupted:
                click.echo(f"{visible(str(capture))}: not read")
                continue
            name = visible(capture.name if names[capture.name] == 1 else str(capture))
            found, drawings, shows = _judged(capture, known, name if len(captures) > 1 else "", options, watch)
            results += found
            exchanges |= drawings
            seen |= shows
    if watch.interrupted:
        options["interrupted"] = True
    if not seen:
        results.append(_nothing_seen(captures, options))
    return results


def _nothing_seen(captures: Sequence[Path], options: dict[str, Any]) -> Result:
    """Return the verdict that keeps captures in which nothing was seen from being green."""
    from conformance.run.judging import blank_result

    whose = f" of {' or '.join(options['agents'])}" if options["agents"] else ""
    return replace(
        blank_result(visible(", ".join(map(str, captures))), shlex.join(["icetcp", *_without_passwords(sys.argv[1:])])),
        case=_NOTHING_SEEN,
        title="the captures show an ICE-TCP exchange",
        section=_NOTHING_SEEN.partition("/")[0],
        requirements=("RFC6544-7.1-03",),
        verdict=Verdict.INCONC,
        reason=f"nothing to judge: no connectivity check{whose} over TCP was found",
    )


def _judged(
    capture: Path, known: Known, name: str, options: dict[str, Any], watch: Watch
) -> tuple[list[Result], dict[str, bytes], bool]:
    from conformance.run.judging import blank_result, judge_packets, result_of
    from pcaps.pcapng import CaptureError

    begun = time.time()
    try:
        judged = judge_packets(watch.packets(capture), known, show=_MOST_SHOWN if options["ladder"] == "all" else 0)
    except OSError as error:
        raise _Unusable(f"cannot read {capture}: {error.strerror or error}") from None
    except CaptureError as error:
        raise _Unusable(f"{capture} is not a capture: {error}") from None
    _tell(capture, judged, time.time() - begun)
    command = shlex.join(["icetcp", *_without_passwords(sys.argv[1:])])
    blank = replace(blank_result(str(capture), command, begun), capture=str(capture.resolve()))
    judgements = [judgement for judgement in judged.judgements if judgement.verdict is not Verdict.NONE]
    results = [result_of(judgement, blank) for judgement in judgements]
    for result in results:
        if name:
            result.case += f"[{name}]"
            result.parameters = {"capture": visible(str(capture))}
    exchanges: dict[str, bytes] = {}
    if options["out"] is not None:
        from conformance.commands.judge_reports import explain

        exchanges = explain(judgements, results, known)
    _note(judged, known)
    drawn: list[Connection] = []
    for judgement in judged.judgements:
        _print(judgement, drawn if options["ladder"] == "findings" else None)
    if judged.shown:
        from pcaps.ladder import render

        click.echo(f"\n{render(judged.shown)}")
    return results, exchanges, judged.saw_an_exchange


def _tell(capture: Path, judged: JudgedCapture, seconds: float) -> None:
    reading = judged.reading
    rate = f", {reading.packets / seconds:,.0f} packets a second" if seconds > 1 else ""
    click.echo(
        f"{visible(str(capture))}: {reading.packets} packets, {reading.segments} TCP segments, "
        f"{judged.talks} ICE connections with {judged.requests} checks{rate}"
    )


def _note(judged: JudgedCapture, known: Known) -> None:
    """Tell which parts of the capture, or of the arguments, could not be used."""
    reading = judged.reading
    if judged.cut:
        click.echo(f"note: judged up to where the file breaks off: {visible(judged.cut)}")
    if reading.given_up:
        click.echo(f"note: {reading.given_up} connections were judged before their end, to keep memory in bounds")
    for link, count in reading.unknown.most_common(3):
        click.echo(f"note: {count} packets are of link type {link}, which cannot be read; record with another one")
    given = {*known.passwords, *(ufrag for party in known.parties for ufrag in party.ufrags)}
    strange = sorted(given - judged.names)
    if strange and judged.requests:
        names = visible(", ".join(strange[:4]))
        click.echo(f"note: no check names {names}; do the descriptions or passwords belong to another session?")


def _print(judgement: Judgement, drawn: list[Connection] | None) -> None:
    """Print a verdict, and the ladder of its connection unless it was `drawn` before; None: no ladders."""
    from conformance.catalogue import requirement

    verdict = judgement.verdict
    if verdict is Verdict.NONE:
        return
    asked = requirement(judgement.rule.requirement)
    word = click.style(f"{verdict.value:<6}", fg=_COLOURS[verdict])
    click.echo(f"{word}  {asked.id} ({asked.level.value.upper()})  {judgement.rule.title}")
    count = judgement.breaches or judgement.doubts
    shown = judgement.broken or _distinct(judgement.unclear)
    for observation in shown:
        click.echo(f"        {_placed(observation)}")
    if judgement.broken and count > len(shown):
        click.echo(f"        and {count - len(shown)} more")
    for text in judgement.readings:
        click.echo(f"        note: {text}")
    connection = judgement.broken[0].connection if judgement.broken else None
    if drawn is None or connection is None:
        return
    if any(connection is other for other in drawn):
        click.echo("        (on the connection drawn above)")
        return
    from pcaps.ladder import render

    drawn.append(connection)
    click.echo("\n".join(f"        {line}" for line in render([connection]).splitlines()))


def _distinct(unclear: Iterable[Observation]) -> list[Observation]:
    return list({observation.reason: observation for observation in unclear}.values())[:3]


def _placed(observation: Observation) -> str:
    """Return what was seen, where and when."""
    where = ""
    if observation.connection is not None and observation.verdict is Verdict.FAIL:
        since = (observation.time_ns - observation.connection.first_ns) / 1e6
        where = f", {observation.connection.client} -> {observation.connection.server} after {since:.3f} ms"
    expected = f"; expected: {observation.expected}" if observation.expected else ""
    return f"{observation.reason}{where}{expected}"


# -- all of them -------------------------------------------------------------------------------------------------------


def _verdict(results: list[Result], options: dict[str, Any]) -> int:
    for result in results:
        if (
            result.case == _NOTHING_SEEN
            and exit_status(results, Level(options["fail_on"])) is ExitStatus.COULD_NOT_JUDGE
        ):
            return complain(result.reason, ExitStatus.COULD_NOT_JUDGE)
    status = exit_status(results, Level(options["fail_on"]))
    if status is ExitStatus.CONFORMS and options.get("interrupted"):
        return complain("interrupted; what was read conforms", ExitStatus.COULD_NOT_JUDGE)
    words = {
        ExitStatus.CONFORMS: "conforms, as far as a capture shows it",
        ExitStatus.DOES_NOT_CONFORM: "does not conform",
        ExitStatus.COULD_NOT_JUDGE: "not wholly judged: see what is inconclusive",
    }
    click.echo(words[status])
    return int(status)


def _write(results: list[Result], exchanges: dict[str, bytes], options: dict[str, Any]) -> None:
    from conformance.commands.judge_reports import write
    from reports.record import ReportError

    out: Path = options["out"]
    arguments = _without_passwords(sys.argv[1:])
    interrupted = bool(options.get("interrupted"))
    try:
        written = write(out, results, exchanges, arguments, Level(options["fail_on"]), interrupted=interrupted)
    except OSError as error:
        raise _Unusable(f"cannot write to {out}: {error.strerror}; choose another folder with --out") from None
    except ReportError as error:
        raise _Unusable(str(error)) from None
    click.echo(f"written: {', '.join(map(str, written))}")
