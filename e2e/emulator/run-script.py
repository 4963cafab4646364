"""Runs a script of KMS calls with boto3: JSON on standard input, outcomes as JSON on standard output."""

import base64
import datetime
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def fill(value, saved):
    if isinstance(value, str) and value.startswith("$"):
        return saved[value[1:]]
    if isinstance(value, list):
        return [fill(item, saved) for item in value]
    if isinstance(value, dict):
        if list(value) == ["bytes"]:
            return base64.b64decode(value["bytes"])
        return {name: fill(item, saved) for name, item in value.items()}
    return value


def plain(value):
    if isinstance(value, bytes):
        return {"bytes": len(value)}
    if isinstance(value, datetime.datetime):
        return {"date": True}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def method(operation):
    return "".join("_" + c.lower() if c.isupper() else c for c in operation).lstrip("_")


def run(client, steps):
    saved = {}
    outcomes = []
    for step in steps:
        try:
            answer = getattr(client, method(step["call"]))(**fill(step["with"], saved))
            metadata = answer.pop("ResponseMetadata")
            for name, path in step.get("save", {}).items():
                value = answer
                for member in path.split("."):
                    value = value[member]
                saved[name] = value
            outcomes.append({"status": metadata["HTTPStatusCode"], "output": plain(answer)})
        except KeyError as error:
            # An earlier step that should have saved the value failed on this server.
            outcomes.append({"status": 0, "error": "NotReached", "message": f"{error} was not saved"})
        except ClientError as error:
            metadata = error.response["ResponseMetadata"]
            details = error.response["Error"]
            outcomes.append(
                {"status": metadata["HTTPStatusCode"], "error": details["Code"], "message": details.get("Message", "")}
            )
    return {"outcomes": outcomes, "saved": {k: v for k, v in saved.items() if isinstance(v, str)}}


def main():
    job = json.load(sys.stdin)
    moto = None
    endpoint = job.get("endpoint")
    if endpoint is None:
        from moto.server import ThreadedMotoServer

        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        moto.start()
        host, port = moto.get_host_and_port()
        endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "kms",
        endpoint_url=endpoint,
        region_name=job["region"],
        aws_access_key_id=job["accessKeyId"],
        aws_secret_access_key=job["secretAccessKey"],
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
    results = [run(client, steps) for steps in job["scripts"]]
    if moto is not None:
        moto.stop()
    json.dump(results, sys.stdout)


main()
