"""Speaks with a prediction server as users of KServe's own client do; prints what it was answered as JSON."""
import asyncio
import base64
import json
import sys

import numpy as np
from httpx import HTTPStatusError
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

url, token, pictures, table, prices, pixels_file, png_file = sys.argv[1:]
TABLE = {"age": ("FP64", 42.0), "city": ("BYTES", "Wien"), "alone": ("BOOL", True), "booked": ("BYTES", "2026-01-31T08:00:00.000Z")}


def call():
    """The client writes into the headers that it is given: every call has its own."""
    return {"Authorization": f"Bearer {token}"}


def tensor(name, values, datatype, binary):
    values = np.asarray(values)
    given = InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def columns(rows, binary):
    """The columns of a table, a tensor each; KServe's client packs texts as bytes objects."""
    def values(datatype, value):
        return np.array([value.encode("utf-8")] * rows, dtype=np.object_) if datatype == "BYTES" else np.array([value] * rows)

    return [tensor(name, values(datatype, value), datatype, binary) for name, (datatype, value) in TABLE.items()]


def read(answer):
    """The client leaves out `model_version`; our own parameters say it too."""
    def value(output):
        return [one.decode("utf-8") if isinstance(one, bytes) else one for one in output.as_numpy().ravel().tolist()]

    return {"id": answer.id, "model": answer.model_name, "version": answer.parameters["version"], **{output.name: value(output) for output in answer.outputs}}


async def refused(work):
    try:
        await work
    except HTTPStatusError as error:
        return {"status": error.response.status_code, "message": str(error)}
    raise AssertionError("nothing was refused")


async def v2():
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=1))
    pixels = np.fromfile(pixels_file, dtype=np.uint8).reshape(1, 32, 32, 3)

    async def infer(model, inputs, **given):
        return read(await client.infer(url, InferRequest(model_name=model, request_id="from-kserve", infer_inputs=inputs, **given), model_name=model, headers=call()))

    async def picture(datatype, dtype, binary, **given):
        return await infer(pictures, [tensor("image", pixels.astype(dtype), datatype, binary)], parameters={"light": "night", **given.pop("parameters", {})}, **given)

    said = {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url),
        "model_ready": await client.is_model_ready(url, pictures, headers=call()),
        "unknown_ready": await client.is_model_ready(url, "nobody", headers=call()),
        "json": await picture("UINT8", np.uint8, False),
        "binary": await picture("UINT8", np.uint8, True),
        "all_binary": await picture("FP32", np.float32, True, parameters={"binary_data_output": True}),
        "some_binary": await picture("INT64", np.int64, True, request_outputs=[RequestedOutput("probabilities", {"binary_data": True}), RequestedOutput("class", {"binary_data": False})]),
        "file": await infer(pictures, [tensor("image", np.array([open(png_file, "rb").read()], dtype=np.object_), "BYTES", True)]),
        "rows": [await infer(table, columns(2, False)), await infer(table, columns(2, True)), await infer(table, columns(2, True), parameters={"binary_data_output": True})],
        "price": await infer(prices, [tensor("size", np.array([[60.0]]), "FP64", False)]),
        "unknown": await refused(infer("nobody", [tensor("x", np.array([1.0]), "FP64", True)])),
        "missing": await refused(infer(table, columns(1, False)[1:2])),
        "wrong": await refused(infer(pictures, [tensor("photo", np.array([1.0]), "FP64", True)])),
        "nobody": await refused(client.infer(url, InferRequest(model_name=table, infer_inputs=columns(1, False)), model_name=table)),
        "nonsense": await refused(client.infer(url, {"inputs": "none"}, model_name=table, headers=call())),
    }
    await client.close()
    return said


async def v1():
    client = InferenceRESTClient(RESTConfig(protocol="v1", retries=1))
    row = {name: value for name, (_datatype, value) in TABLE.items()}

    async def predict(model, body):
        return (await client.infer(url, body, model_name=model, headers=call()))["predictions"]

    said = {
        "live": await client.is_server_live(url),
        "model_ready": await client.is_model_ready(url, table, headers=call()),
        "unknown_ready": await refused(client.is_model_ready(url, "nobody", headers=call())),
        "rows": await predict(table, {"instances": [row, row]}),
        "picture": await predict(pictures, {"instances": [{"b64": base64.b64encode(open(png_file, "rb").read()).decode("ascii")}]}),
        "unknown": await refused(predict("nobody", {"instances": [row]})),
        "wrong": await refused(predict(table, {"instances": [{"years": 42}]})),
    }
    await client.close()
    return said


async def main():
    print(json.dumps({"v2": await v2(), "v1": await v1()}))


asyncio.run(main())
