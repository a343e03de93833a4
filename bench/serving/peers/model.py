"""Makes of a TensorFlow.js model with weights a Keras model for MLflow and BentoML: python model.py PACKAGE FOLDER.

Pixels of 0 to 255 go in, as our server takes them: the division by 255, which is preprocessing there, is a layer here.
"""
import json
import os
import sys

import numpy as np

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import keras  # noqa: E402
import mlflow  # noqa: E402

package, folder = sys.argv[1:]
with open(os.path.join(package, 'model.json'), encoding='utf8') as source:
    described = json.load(source)
with open(os.path.join(package, 'weights.bin'), 'rb') as source:
    raw = source.read()

arrays, at = [], 0
for weight in described['weightsManifest'][0]['weights']:
    count = int(np.prod(weight['shape']))
    arrays.append(np.frombuffer(raw, dtype=np.float32, count=count, offset=at).reshape(weight['shape']))
    at += count * 4

topology = described['modelTopology']
config = topology.get('model_config', topology)['config']
layers = [keras.layers.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255)]
for layer in config['layers'] if isinstance(config, dict) else config:
    kind, given = layer['class_name'], layer['config']
    match kind:
        case 'Conv2D': layers.append(keras.layers.Conv2D(given['filters'], given['kernel_size'], strides=given['strides'], padding=given['padding'], activation=given['activation']))
        case 'MaxPooling2D': layers.append(keras.layers.MaxPooling2D(given['pool_size'], strides=given['strides'], padding=given['padding']))
        case 'Dense': layers.append(keras.layers.Dense(given['units'], activation=given['activation']))
        case 'Flatten': layers.append(keras.layers.Flatten())
        case 'Dropout': layers.append(keras.layers.Dropout(given['rate']))
        case 'InputLayer': pass
        case _: raise SystemExit(f'no Keras layer is known here for {kind}')
model = keras.Sequential(layers)
model.set_weights(arrays)
model.save(os.path.join(folder, 'model.keras'))

example = np.zeros((1, 32, 32, 3), dtype=np.uint8)
signature = mlflow.models.infer_signature(example, model.predict(example, verbose=0))
mlflow.tensorflow.save_model(model, os.path.join(folder, 'mlflow'), signature=signature, pip_requirements=['tensorflow-cpu', 'keras'])
