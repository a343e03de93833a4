"""Speaks with a prediction server as users of Triton's own client do; prints what it was answered as JSON."""
import json
import sys

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

address, token, pictures, table, pixels_file, png_file = sys.argv[1:]
class Call(dict):
    """The client writes into the headers that it is given: every call has its own."""

    def __init__(self):
        super().__init__(Authorization=f"Bearer {token}")


client = http.InferenceServerClient(url=address)


def tensor(name, values, datatype, binary):
    values = np.asarray(values)
    given = http.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def picture(binary_in, outputs=None, datatype="UINT8"):
    pixels = np.fromfile(pixels_file, dtype=np.uint8).reshape(1, 32, 32, 3)
    given = tensor("image", pixels.astype({"UINT8": np.uint8, "FP32": np.float32, "INT64": np.int64}[datatype]), datatype, binary_in)
    result = client.infer(pictures, [given], outputs=outputs, headers=Call(), request_id="from-triton", parameters={"light": "night"})
    return {"id": result.get_response()["id"], "version": result.get_response()["model_version"], "probabilities": result.as_numpy("probabilities").tolist(), "class": [str(name, "utf-8") if isinstance(name, bytes) else name for name in result.as_numpy("class").tolist()]}


def row(binary):
    text = lambda value: np.array([value.encode("utf-8")], dtype=np.object_)
    given = [tensor("age", np.array([42.0]), "FP64", binary), tensor("city", text("Wien"), "BYTES", binary), tensor("alone", np.array([True]), "BOOL", binary), tensor("booked", text("2026-01-31T08:00:00.000Z"), "BYTES", binary)]
    return client.infer(table, given, headers=Call()).as_numpy("probabilities").tolist()


def refused(work):
    try:
        work()
    except InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    raise AssertionError("nothing was refused")


asked = [http.InferRequestedOutput("probabilities", binary_data=True), http.InferRequestedOutput("class", binary_data=False)]
print(json.dumps({
    "live": client.is_server_live(headers=Call()),
    "ready": client.is_server_ready(headers=Call()),
    "model_ready": client.is_model_ready(pictures, headers=Call()),
    "version_ready": client.is_model_ready(pictures, model_version="1", headers=Call()),
    "unknown_ready": client.is_model_ready("nobody", headers=Call()),
    "server": client.get_server_metadata(headers=Call()),
    "model": client.get_model_metadata(pictures, model_version="1", headers=Call())["inputs"],
    "json": picture(False, asked),
    "binary": picture(True),
    "floats": picture(True, datatype="FP32"),
    "whole": picture(True, datatype="INT64"),
    "file": client.infer(pictures, [tensor("image", np.array([open(png_file, "rb").read()], dtype=np.object_), "BYTES", True)], headers=Call()).as_numpy("probabilities").tolist(),
    "row": [row(False), row(True)],
    "unknown": refused(lambda: client.infer("nobody", [tensor("x", np.array([1.0]), "FP64", True)], headers=Call())),
    "wrong": refused(lambda: client.infer(pictures, [tensor("photo", np.array([1.0]), "FP64", True)], headers=Call())),
}))
