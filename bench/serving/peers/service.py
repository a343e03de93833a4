"""The same network as a BentoML service that batches."""
import os

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import bentoml  # noqa: E402
import numpy as np  # noqa: E402


@bentoml.service(workers=1)
class CarTruck:
    def __init__(self):
        import keras
        import tensorflow as tf

        model = keras.models.load_model(os.environ['PERENNIAL_BENCH_MODEL'])
        self.answer = tf.function(lambda images: model(images, training=False), input_signature=[tf.TensorSpec((None, 32, 32, 3), tf.float32)])
        for rows in (1, 2, 4, 8, 16, 32):
            self.answer(tf.zeros((rows, 32, 32, 3)))

    @bentoml.api(batchable=True, max_batch_size=32)
    def predict(self, images: np.ndarray) -> np.ndarray:
        return self.answer(images.astype(np.float32)).numpy()
