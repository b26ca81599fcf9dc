"""Asks a server what any client would, with Debian's grpcio, and prints the answers as JSON.

Usage: client.py HOST:PORT, with the generated code on PYTHONPATH.
"""

import json
import sys

import grpc
import google_rpc_status_pb2
from buf.validate import validate_pb2
from tradewind.market.v1 import candle_pb2, market_service_pb2, market_service_pb2_grpc
from tradewind.system.v1 import system_service_pb2, system_service_pb2_grpc

# A bound for a server that hangs, not a measure of speed.
TIMEOUT_SECONDS = 30


def main(address):
    with grpc.insecure_channel(address) as channel:
        market = market_service_pb2_grpc.MarketServiceStub(channel)
        system = system_service_pb2_grpc.SystemServiceStub(channel)
        answers = {
            "mode": mode(system),
            "instruments": instruments(market),
            "candles": candles(market),
            "not_found": error_of(lambda: market.ListInstruments(
                market_service_pb2.ListInstrumentsRequest(exchange="nowhere"),
                timeout=TIMEOUT_SECONDS,
            )),
            "invalid": error_of(lambda: list(market.StreamCandles(
                market_service_pb2.StreamCandlesRequest(), timeout=TIMEOUT_SECONDS,
            ))),
            "deadline": error_of(lambda: list(market.StreamTrades(
                market_service_pb2.StreamTradesRequest(), timeout=0.3,
            ))),
        }
    json.dump(answers, sys.stdout)


def mode(system):
    info = system.GetServerInfo(
        system_service_pb2.GetServerInfoRequest(), timeout=TIMEOUT_SECONDS,
    )
    return system_service_pb2.Mode.Name(info.mode)


def instruments(market):
    answer = market.ListInstruments(
        market_service_pb2.ListInstrumentsRequest(), timeout=TIMEOUT_SECONDS,
    )
    return [instrument.name for instrument in answer.instruments]


def candles(market):
    """Two closed candles; then the client leaves."""
    selection = market_service_pb2.CandleSelection(
        instrument="BTCUSDT", timeframe=candle_pb2.TIMEFRAME_S1,
    )
    stream = market.StreamCandles(
        market_service_pb2.StreamCandlesRequest(selections=[selection]), timeout=TIMEOUT_SECONDS,
    )
    seen = {}
    for response in stream:
        if response.WhichOneof("event") != "candle":
            continue
        candle = response.candle
        seen[candle.open_time.seconds] = {
            "instrument": candle.instrument,
            "closed": candle.closed,
            "seconds": candle.close_time.seconds - candle.open_time.seconds,
        }
        if len(seen) == 2:
            stream.cancel()
            break
    return list(seen.values())


def error_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return {
            "code": error.code().name,
            "message": error.details(),
            "violations": violations_of(error),
        }
    return None


def violations_of(error):
    """The names of the fields that the status details complain about."""
    trailers = dict(error.trailing_metadata() or ())
    status = trailers.get("grpc-status-details-bin")
    if status is None:
        return []
    violations = validate_pb2.Violations()
    for detail in google_rpc_status_pb2.Status.FromString(status).details:
        if detail.Unpack(violations):
            return [violation.field.elements[0].field_name for violation in violations.violations]
    return []


main(sys.argv[1])
