"""PaddleOCR: on a GPU with paddlepaddle, else on the ONNX runtime, from local folders of models."""

from __future__ import annotations

import logging
import os
import tempfile
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from seshat.engines.ocr import Line, rapidocr_weights, shares
from seshat.errors import EngineError

if TYPE_CHECKING:
    from PIL.Image import Image

DETECTION, RECOGNITION = "det", "rec"
"""The folders of the two models in a folder of models, as PaddleOCR exports them (``inference.yml`` beside the weights)."""


class PaddleOcr:
    """PaddleOCR's detection and recognition; a page is turned by whoever asks."""

    def __init__(self, folder: str = "") -> None:
        """Load the models of a folder; without one, those that come with rapidocr, which are PaddleOCR's in ONNX."""
        os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")  # or it asks hosts which of them it may load from
        try:
            from paddleocr import PaddleOCR  # heavy
        except ImportError as error:
            raise EngineError(
                f"The OCR engine paddleocr cannot be loaded ({error}): pip install -c constraints.txt -e '.[paddleocr]', "
                "or set ocr.engine=rapidocr"
            ) from None
        self._kept = None if folder else tempfile.TemporaryDirectory(prefix="seshat-paddle-")
        if self._kept:
            folder = self._kept.name
            _from_rapidocr(folder)
        logging.getLogger("paddlex").setLevel(logging.ERROR)
        detection, recognition = (os.path.join(folder, name) for name in (DETECTION, RECOGNITION))
        on_onnx = os.path.isfile(os.path.join(recognition, "inference.onnx"))
        try:
            self._engine = PaddleOCR(
                text_detection_model_name=_model_name(detection),
                text_detection_model_dir=detection,
                text_recognition_model_name=_model_name(recognition),
                text_recognition_model_dir=recognition,
                use_doc_orientation_classify=False,
                use_doc_unwarping=False,
                use_textline_orientation=False,
                cpu_threads=1,
                **({"engine": "onnxruntime"} if on_onnx else {}),
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineError(f"ocr.model: PaddleOCR cannot load the models in {folder} ({error})") from None

    def read(self, image: Image) -> list[Line]:
        """One line for each text box that it detects."""
        import numpy as np

        [found] = self._engine.predict(np.asarray(image.convert("RGB"))[:, :, ::-1])
        lines = []
        for corners, text, score in zip(found["rec_polys"], found["rec_texts"], found["rec_scores"], strict=True):
            (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
            if text.strip():
                box = (float(left), float(top), float(right), float(bottom))
                lines.append(Line(text.strip(), float(score), shares(box, image.width, image.height)))
        return lines


def _model_name(folder: str) -> str:
    """What PaddleOCR calls the model of a folder."""
    path = os.path.join(folder, "inference.yml")
    try:
        with open(path, encoding="utf-8") as stream:
            return str(YAML(typ="safe").load(stream)["Global"]["model_name"])
    except (OSError, KeyError, TypeError) as error:
        raise EngineError(
            f"{path} does not say which model it is ({error}): ocr.model must be a folder with {DETECTION}/ and {RECOGNITION}/, each a "
            "model as PaddleOCR exports it"
        ) from None


def _from_rapidocr(folder: str) -> None:
    """The models that come with rapidocr, put down as PaddleOCR wants them."""
    weights = {os.path.basename(path): path for path in rapidocr_weights()}
    found = {kind: next((path for name, path in weights.items() if f"_{kind}_" in name), "") for kind in (DETECTION, RECOGNITION)}
    if not all(found.values()):
        raise EngineError(
            "The OCR engine paddleocr needs models: pip install rapidocr, which brings them, or set ocr.model to their folder"
        )
    for kind, path in found.items():
        os.makedirs(os.path.join(folder, kind))
        os.symlink(path, os.path.join(folder, kind, "inference.onnx"))
        described = _detection() if kind == DETECTION else _recognition(path)
        with open(os.path.join(folder, kind, "inference.yml"), "w", encoding="utf-8") as stream:
            YAML(typ="safe").dump(described, stream)


def _detection() -> dict[str, Any]:
    steps: list[dict[str, Any]] = [
        {"DetResizeForTest": {"limit_side_len": 736, "limit_type": "min"}},
        {"NormalizeImage": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "scale": "1./255.", "order": "hwc"}},
        {"ToCHWImage": None},
    ]
    post = {"name": "DBPostProcess", "thresh": 0.3, "box_thresh": 0.6, "max_candidates": 1000, "unclip_ratio": 1.6}
    return {"Global": {"model_name": "PP-OCRv6_small_det"}, "PreProcess": {"transform_ops": steps}, "PostProcess": post}


def _recognition(path: str) -> dict[str, Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    letters = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    post = {"name": "CTCLabelDecode", "character_dict": letters}
    steps = [{"RecResizeImg": {"image_shape": [3, 48, 320]}}]
    return {"Global": {"model_name": "PP-OCRv6_small_rec"}, "PreProcess": {"transform_ops": steps}, "PostProcess": post}
