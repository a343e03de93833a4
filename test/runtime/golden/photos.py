"""Photos of photos.json, with the pixels that their encoder reads from them: Pillow 13.0.0, `python photos.py > photos.json`."""
import base64
import io
import json
import numpy
from PIL import Image, ImageOps

row, column = numpy.mgrid[0:13, 0:18]
pixels = numpy.stack([(column * 13) % 256, (row * 17 + column * 3) % 256, (column * row * 5) % 256], -1).astype(numpy.uint8)
colour = Image.fromarray(pixels)
held = {orientation: Image.Exif() for orientation in (3, 5, 6)}
for orientation, exif in held.items():
    exif[0x0112] = orientation
transparent = colour.copy()
transparent.putalpha(128)
cases = []


def case(name, picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    read = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue())))
    read = read.convert('RGB') if read.mode == 'CMYK' else read
    cases.append({'name': name, 'height': read.height, 'width': read.width, 'channels': len(read.getbands()), 'file': base64.b64encode(file.getvalue()).decode(), 'pixels': base64.b64encode(read.tobytes()).decode()})


case('JPEG', colour, 'JPEG', quality=85)
case('JPEG with all colours', colour, 'JPEG', quality=95, subsampling=0)
case('progressive JPEG', colour, 'JPEG', quality=80, subsampling=1, progressive=True)
case('grey JPEG', colour.convert('L'), 'JPEG', quality=85)
case('JPEG of four inks', colour.convert('CMYK'), 'JPEG', quality=95)
for orientation, exif in held.items():
    case(f'JPEG held as {orientation}', colour, 'JPEG', quality=85, exif=exif)
case('WebP', colour, 'WEBP', quality=80)
case('WebP without loss', colour, 'WEBP', lossless=True)
case('WebP with transparency', transparent, 'WEBP', lossless=True)
case('WebP animation', colour, 'WEBP', save_all=True, append_images=[colour.rotate(180)], duration=100)
print('[\n' + ',\n'.join(json.dumps(entry) for entry in cases) + '\n]')
