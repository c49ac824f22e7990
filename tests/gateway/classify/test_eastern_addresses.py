"""Addresses without blanks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.classifier import Classifier
from gateway.classify.eastern_addresses import find_eastern
from gateway.core.findings import SensitivityRules
from gateway.core.sensitivity import Sensitivity

ADDRESSES = [
    ("送货地址: 上海市浦东新区世纪大道100号, 谢谢", "上海市浦东新区世纪大道100号"),
    ("请寄到北京市海淀区中关村大街27号1101室。", "北京市海淀区中关村大街27号1101室"),
    ("配送先は東京都渋谷区神南1-2-3です", "東京都渋谷区神南1-2-3"),
    ("住所:大阪市北区梅田3丁目", "大阪市北区梅田3丁目"),
    ("주소는 서울특별시 강남구 테헤란로 152 입니다", "서울특별시 강남구 테헤란로 152"),
]
ORDINARY = [
    "第3号文件已经发布",
    "我的快递单号是12号",
    "2023-10-05 の会議",
    "電話は03-1234",
    "서울로 3 시간",
    "北京市有多少人？",
]


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_addresses_are_found(
    text: str, address: str, classifier: Classifier, rules: SensitivityRules
):
    """Place, street and number belong together, and raise the level."""
    [found] = find_eastern(text)

    assert text[found.start : found.end].endswith(address)
    assert classifier.judge_text(text, rules).sensitivity == Sensitivity.CONFIDENTIAL


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_what_is_not_seen_hides_no_address(
    text: str, address: str, classifier: Classifier, rules: SensitivityRules
):
    """A heart with a variation selector before it, and invisible characters within."""
    strewn = "❤\ufe0f " + "\u200b".join(text)
    judged = classifier.judge_text(strewn, rules)

    assert judged.sensitivity == Sensitivity.CONFIDENTIAL
    [found] = [one for one in judged.findings if one.type == "address"]
    assert strewn[found.start : found.end].replace("\u200b", "").endswith(address)


@pytest.mark.parametrize("text", ORDINARY)
def test_other_numbers_are_left_alone(text: str):
    """A number needs a street and a place before it."""
    assert find_eastern(text) == []


@given(st.text(st.sampled_from("上市区路街道号12-都町丁目로길시 구0"), max_size=200))
def test_places_lie_inside_the_text(text: str):
    """Whatever the signs are."""
    assert all(0 <= one.start < one.end <= len(text) for one in find_eastern(text))
