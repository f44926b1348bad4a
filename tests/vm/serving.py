# SPDX-License-Identifier: BSD-2-Clause
"""Configurations for the servers of the VM tests: a portal that the guest can reach, and targets."""
from openiscsi import NAME, Chap

TARGET = "iqn.2026-11.com.example:"
OPEN = TARGET + "open"          # for everybody
LOCKED = TARGET + "locked"      # for those who can prove themselves

SECRET = "initiator-111111"
TARGET_SECRET = "target---2222222"
ONE_WAY = Chap(NAME, SECRET)
MUTUAL = Chap(NAME, SECRET, LOCKED, TARGET_SECRET)

PORTAL = '{ address = "127.0.0.1"; port = $port; advertise = "10.0.2.2:$port"; }'
RAM = '{ lun = 0; store = "ram"; size = "64M"; }'
CREDENTIAL = (f'{{ initiator = "{NAME}"; secret = "{SECRET}"; '
              f'target_secret = "{TARGET_SECRET}"; }}')


def file_disk(size, path="disk.img", lun=0, more=""):
    return (f'{{ lun = {lun}; store = "file"; path = "{path}"; size = "{size}"; create = true; '
            f'{more} }}')


def target(name, luns=RAM, auth="none", credentials=""):
    return (f'{{ name = "{name}"; auth = "{auth}"; luns = ( {luns} ); '
            f'credentials = ( {credentials} ); }}')


def conf(*targets, portals=PORTAL, more=""):
    return (f'state_dir = "state";\nportals = ( {portals} );\n{more}\n'
            f'targets = ( {", ".join(targets)} );\n')


def open_disk(luns=RAM, **kwargs):
    return conf(target(OPEN, luns), **kwargs)


def locked_disk(luns=RAM, credentials=CREDENTIAL, **kwargs):
    return conf(target(LOCKED, luns, "chap", credentials), **kwargs)
