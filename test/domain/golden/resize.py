"""Golden pictures of resize.json: Pillow 13.0.0, `python resize.py > resize.json`."""
import json
import numpy
from PIL import Image

cases = []
for height, width, channels, to_height, to_width in [(5, 7, 3, 3, 4), (4, 4, 1, 8, 8), (9, 6, 3, 5, 10), (3, 3, 1, 2, 2)]:
    index = numpy.arange(height * width * channels)
    pixels = ((index * index * 7 + index * 13) % 251).astype(numpy.uint8).reshape(height, width, channels)
    picture = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
    for method, name in [(Image.BILINEAR, 'bilinear'), (Image.NEAREST, 'nearest')]:
        resized = numpy.asarray(picture.resize((to_width, to_height), method)).reshape(-1)
        cases.append({'height': height, 'width': width, 'channels': channels, 'to': {'height': to_height, 'width': to_width}, 'method': name, 'pixels': resized.tolist()})
print('[\n' + ',\n'.join(json.dumps(case) for case in cases) + '\n]')
