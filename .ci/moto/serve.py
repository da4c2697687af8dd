"""moto as a server, for what a second implementation of AWS says of our adapters: python serve.py PORT LAMBDA_PORT.

One request at a time, since its transactions are not kept apart by more. Its Step Functions are LocalStack's interpreter,
whose tasks call a Lambda that answers at LAMBDA_PORT: moto's own would want Docker.
"""

import os
import sys

port, lambda_port = int(sys.argv[1]), int(sys.argv[2])
os.environ["MOTO_PORT"] = str(port)

import boto3  # noqa: E402
from moto.core.config import default_user_config  # noqa: E402
from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple  # noqa: E402

default_user_config["stepfunctions"] = {"execute_state_machine": True}
plain_client = boto3.client


def client(*args, **kwargs):
    if kwargs.get("service_name") == "lambda":
        kwargs["endpoint_url"] = f"http://127.0.0.1:{lambda_port}"
    return plain_client(*args, **kwargs)


boto3.client = client
run_simple(
    "127.0.0.1",
    port,
    DomainDispatcherApplication(create_backend_app),
    threaded=False,
    request_handler=MotoRequestHandler,
)
