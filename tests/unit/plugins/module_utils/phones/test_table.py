"""The table of phones: CSV and YAML say the same, and what is wrong is named by line and column."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.inventory import phone_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.table import read_phones

CSV = '''\ufeffname,dn,registration,driver,mac,address,servers,label
# the second floor

agent-1021,1021,single,yealink,001565000021,10.71.4.10,site1 site2,"Smith, ""Al"""
agent-1022,0022,,,,10.71.4.11,,
'''
YAML = """---
# the second floor
- name: agent-1021  # a comment
  dn: 1021
  registration: single
  driver: yealink
  mac: "001565000021"
  address: 10.71.4.10
  servers: [site1, 'site2']

  label: "Smith, \\"Al\\""
- {name: agent-1022, dn: '0022', address: 10.71.4.11, label: ,  registration: dual }  # the last
"""


def written(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_and_yaml_say_the_same(tmp_path: Path) -> None:
    phones = read_phones(written(tmp_path, "phones.csv", CSV))
    assert phones == read_phones(written(tmp_path, "phones.yml", YAML))
    assert (phones[0].label, phones[0].sites, phones[1].dn) == ('Smith, "Al"', ("site1", "site2"), "0022")


def test_yaml_is_read_as_yaml_is(tmp_path: Path) -> None:
    phones = read_phones(written(tmp_path, "phones.yaml", YAML))
    assert phones == [phone_of(row) for row in yaml.load(YAML, yaml.BaseLoader)]


def test_json_lines_of_a_list_are_yaml(tmp_path: Path) -> None:
    rows = [{"name": f"a{n}", "dn": str(n), "address": "10.0.0.1", "servers": ["x", "y"]} for n in range(3)]
    text = "".join(f"- {json.dumps(row)}\n" for row in rows)
    unquoted = text.replace('"name":', "name:").replace('"dn":', "dn:").replace('"address":', "address:")
    phones = read_phones(written(tmp_path, "phones.yml", unquoted.replace('"servers":', "servers:")))
    assert phones == [phone_of(row) for row in rows]


def test_the_mode_of_phones_that_do_not_say(tmp_path: Path) -> None:
    path = written(tmp_path, "phones.csv", "name,dn,address,mac\na,1,10.0.0.1,001565000021\n")
    assert read_phones(path, "single")[0].is_single


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,dn,adress\n", "line 1, column adress: there is no such column; there are name"),
        ("# x\nname,dn,dn\n", "line 2, column dn: it is there twice"),
        ("name,dn,address\na,1,10.0.0.1\nb,2\n", "line 3: 3 columns expected, 2 met"),
        ("name,dn,address\na,,10.0.0.1\n", "line 2, column dn: a value is expected"),
        ("name,dn,address,port\na,1,10.0.0.1,x\n", "line 2, column port: a number"),
        (
            "name,dn,address\na,1,10.0.0.1\n\na,2,10.0.0.2\n",
            "line 4, column name: a is a phone's name already, at .* line 2",
        ),
        ('name,dn,address\na,1,"10.0.0.1\n', "unexpected end of data"),
        ("name,dn,address,registration,mac\na,1,10.0.0.1,single,xy\n", "line 2, column mac: 12 hex"),
    ],
)
def test_a_bad_row_of_csv_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, "phones.csv", text)
    with pytest.raises(PhoneError, match=f"{path}.*{said}"):
        read_phones(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\n", "line 1: a phone"),
        ("phones:\n- name: a\n", "line 1: a phone"),
        ("- name: a\n   dn: 1\n", "line 2: a phone"),
        ("- name: a\n  colour: red\n", "line 1, column colour: there is no such column"),
        ("- name: a\n  name: b\n", "line 2, column name: it is there twice"),
        ("- name: &x a\n", "line 1, column name: a plain value"),
        ("- name: |\n    a\n", "line 1, column name: a plain value"),
        ("- name: {a: b}\n", "line 1, column name: a plain value"),
        ("- name: a, b\n", "line 1: ', b' is more than"),
        ("- name: a: b\n", "line 1: ': b' is more than"),
        ("- {name: a, dn: 1\n", "line 1: a comma or } expected"),
        ("- {name: a, dn: 1} x\n", "line 1: 'x' is more than"),
        ("- {name: a}\n  dn: 1\n", "line 2: a phone"),
        ("- a\n", "line 1: key: value expected"),
        ("-\tname: a\n", "line 1: a phone"),
        ("- name: a\n  dn: 1\n  address: 10.0.0.1\n  servers: [a, [b]]\n", "line 4, column servers: a plain value"),
    ],
)
def test_a_bad_row_of_yaml_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, "phones.yml", text)
    with pytest.raises(PhoneError, match=f"{path} {said}"):
        read_phones(path)


def test_passwords_are_for_the_owner_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "phones.csv", "name,dn,address,password\na,1,10.0.0.1,s3cret\n")
    path.chmod(0o644)
    with pytest.raises(PhoneError, match="mode 0600 expected") as caught:
        read_phones(path)
    assert "s3cret" not in str(caught.value)
    path.chmod(0o600)
    phones = read_phones(path)
    assert (phones[0].password, "s3cret" in repr(phones)) == ("s3cret", False)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "phones.csv"
    path.write_bytes(b"name\xff\n")
    with pytest.raises(PhoneError, match="not UTF-8, byte 4"):
        read_phones(path)


def test_an_empty_table_is_no_phone(tmp_path: Path) -> None:
    assert read_phones(written(tmp_path, "phones.csv", "name,dn,address\n")) == []
    assert read_phones(written(tmp_path, "phones.yml", "---\n")) == []
