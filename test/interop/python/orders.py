"""Places, follows and cancels orders with Debian's grpcio, and prints the answers as JSON.

Usage: orders.py HOST:PORT, with the generated code on PYTHONPATH.
"""

import json
import sys

import grpc
from google.protobuf import duration_pb2
from tradewind.order.v1 import order_pb2, order_service_pb2 as service, order_service_pb2_grpc

# A bound for a server that hangs, not a measure of speed.
TIMEOUT_SECONDS = 30


def main(address):
    with grpc.insecure_channel(address) as channel:
        orders = order_service_pb2_grpc.OrderServiceStub(channel)
        answers = {
            "expired": expired(orders),
            "filled": filled(orders),
            "again": again(orders),
            "canceled": canceled(orders),
            "refused": refused(orders),
        }
    json.dump(answers, sys.stdout)


def submit(orders, **fields):
    wish = {
        "instrument": "BTCUSDT",
        "side": order_pb2.ORDER_SIDE_SELL,
        "quantity": "0.001",
        "limit_price": "900000",
        "time_in_force": order_pb2.TIME_IN_FORCE_GTC,
    }
    request = service.SubmitLimitOrderRequest(**{**wish, **fields})
    return orders.SubmitLimitOrder(request, timeout=TIMEOUT_SECONDS)


def expired(orders):
    """An order out of reach, followed to its end: the stream ends by itself."""
    order = submit(
        orders,
        time_in_force=order_pb2.TIME_IN_FORCE_GTD,
        timeout=duration_pb2.Duration(nanos=300_000_000),
    ).order
    request = service.StreamOrderEventsRequest(order_id=order.order_id)
    stream = orders.StreamOrderEvents(request, timeout=TIMEOUT_SECONDS)
    events = [answer.order_event for answer in stream if answer.WhichOneof("event") == "order_event"]
    return [event.WhichOneof("event") for event in events]


def filled(orders):
    """One that any bid fills."""
    order = submit(orders, limit_price="10000", client_order_id="python").order
    request = service.StreamOrderEventsRequest(order_id=order.order_id)
    list(orders.StreamOrderEvents(request, timeout=TIMEOUT_SECONDS))
    answer = orders.GetOrder(service.GetOrderRequest(client_order_id="python"), timeout=TIMEOUT_SECONDS)
    return {
        "status": order_pb2.OrderStatus.Name(answer.order.status),
        "filled": answer.order.filled_quantity,
        "splits": len(answer.order.splits) > 0,
    }


def again(orders):
    return submit(orders, limit_price="10000", client_order_id="python").already_accepted


def canceled(orders):
    submit(orders, account="python")
    request = service.CancelAllOrdersRequest(account="python")
    answer = orders.CancelAllOrders(request, timeout=TIMEOUT_SECONDS)
    return [order_pb2.OrderStatus.Name(order.status) for order in answer.orders]


def refused(orders):
    try:
        submit(orders, quantity="0")
    except grpc.RpcError as error:
        return [error.code().name, error.details()]
    return None


main(sys.argv[1])
