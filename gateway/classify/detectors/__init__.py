"""The detectors, one a module; `all_detectors` names them."""

from __future__ import annotations

from gateway.classify.detectors import (
    access_code,
    address,
    assignment,
    birth_date,
    command_login,
    confidentiality_marker,
    connection_string,
    crypto_wallet,
    email,
    hr,
    iban,
    ip_address,
    labelled_id,
    legal,
    mac_address,
    medical,
    national_id,
    password,
    password_hash,
    payment_card,
    person,
    phone,
    private_key,
    scattered_number,
    spoken_login,
    us_ssn,
    vehicle_id,
    vendor_token,
)
from gateway.classify.detectors.base import Detector

__all__ = ["all_detectors"]


def all_detectors() -> tuple[Detector, ...]:
    """Every detector of the product, in the order in which they are named in failures."""
    modules = (
        payment_card,
        iban,
        us_ssn,
        scattered_number,
        national_id,
        labelled_id,
        vendor_token,
        private_key,
        connection_string,
        assignment,
        password,
        command_login,
        spoken_login,
        password_hash,
        access_code,
        confidentiality_marker,
        email,
        phone,
        address,
        birth_date,
        ip_address,
        mac_address,
        crypto_wallet,
        vehicle_id,
        person,
        medical,
        legal,
        hr,
    )
    return tuple(module.DETECTOR for module in modules)
