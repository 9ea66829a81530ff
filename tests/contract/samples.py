"""Small files of every kind the API takes, made on the spot; the one clip is ``data/clip.mp4`` (H.264, 64x48)."""

from __future__ import annotations

import io
import json
import shutil
import struct
import wave
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image

CLIP = Path(__file__).parent / "data" / "clip.mp4"
CLIP_FRAMES = 4
BOX_COCO = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 3, 10, 8], "area": 80, "iscrowd": 0}


def picture(path: Path, width: int = 320, height: int = 340, color: int = 90) -> Path:
    """Write a picture; JPEG or PNG by the extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (color, 20, 60)).save(path)
    return path


def sound(path: Path, seconds: float = 1.0) -> Path:
    """Write a silent WAV file, whatever its extension says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(1000)
        file.writeframes(b"\x80" * int(seconds * 1000))
    return path


def text(path: Path, content: str = "1234567890 0123456789") -> Path:
    """Write a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def clip(path: Path) -> Path:
    """Copy the clip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CLIP, path)
    return path


def cloud(path: Path, points: int = 2) -> Path:
    """Write a point cloud."""
    head = f"VERSION .7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH {points}\nHEIGHT 1\nPOINTS {points}\n"
    return text(path, head + "DATA ascii\n" + "0 0 0\n" * points)


def dicom_zip(path: Path, rows: int = 512, columns: int = 512) -> Path:
    """Write a zip of one DICOM file that holds nothing but its size."""
    data = io.BytesIO()
    data.write(b"\0" * 128 + b"DICM")
    for element, value in ((0x10, rows), (0x11, columns)):
        data.write(struct.pack("<HH2sHH", 0x28, element, b"US", 2, value))
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("slice.dcm", data.getvalue())
    return path


def appendix_zip(path: Path, task: str, content: str = "0001.pcd") -> Path:
    """Write a zip of one camera image with its calibration."""
    image = io.BytesIO()
    Image.new("RGB", (8, 6)).save(image, "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{task}/{content}/001.png", image.getvalue())
        archive.writestr(f"{task}/{content}/001.yaml", "camera: front\n")
    return path


def robotics_zip(path: Path) -> Path:
    """Write the contents of a robotics task, named after the zip."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(CLIP, "images_top.mp4")
        frame = {"observation.state": [0.0], "action": [0.0], "frame_index": 0, "timestamp": 0.0}
        archive.writestr(f"{path.stem}.json", json.dumps([frame]))
    return path


def coco_file(path: Path, *names: str, width: int = 64, height: int = 48) -> Path:
    """Write a COCO file with one box per image: class ``cat``, ``[2, 3, 12, 11]`` as corners."""
    images = [{"id": n, "file_name": name, "width": width, "height": height} for n, name in enumerate(names, 1)]
    ring = [2, 3, 12, 3, 12, 11, 2, 11, 2, 3]
    boxes = [BOX_COCO | {"id": image["id"], "image_id": image["id"], "segmentation": [ring]} for image in images]
    categories = [{"id": 1, "name": "cat", "supercategory": "cat"}]
    return text(path, json.dumps({"images": images, "categories": categories, "annotations": boxes}))


def voc_file(path: Path, image: str) -> Path:
    """Write a Pascal VOC file of one box."""
    box = "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>12</xmax><ymax>11</ymax></bndbox>"
    size = "<size><width>64</width><height>48</height><depth>3</depth></size>"
    return text(
        path, f"<annotation><filename>{image}</filename>{size}<object><name>cat</name>{box}</object></annotation>"
    )


def labelme_file(path: Path, image: str) -> Path:
    """Write a labelme file of one rectangle."""
    shape: dict[str, Any] = {"label": "cat", "points": [[2, 3], [12, 11]], "shape_type": "rectangle"}
    shape |= {"group_id": None, "flags": {}}
    value: dict[str, Any] = {"version": "4.5.9", "flags": {}, "shapes": [shape], "imagePath": image, "imageData": None}
    return text(path, json.dumps(value | {"imageHeight": 48, "imageWidth": 64}))


def yolo_file(path: Path) -> Path:
    """Write a YOLO file of one box: class 0, ``[2, 3, 12, 11]`` as corners in an image of 64x48."""
    return text(path, f"0 {7 / 64} {7 / 48} {10 / 64} {8 / 48}\n")


MAKERS = {
    ".jpg": picture,
    ".mp4": clip,
    ".txt": text,
    ".mp3": sound,
    ".wav": sound,
    ".pcd": cloud,
    ".zip": dicom_zip,
}
"""What writes a sample, by extension."""
