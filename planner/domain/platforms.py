"""Where the vendor's programs and key databases lie on each platform (`domain.md` section 6.4)."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from planner.domain.fleet import ClientKind
from planner.domain.rules import Status


class Platform(StrEnum):
    """An operating system, as far as paths and shells differ."""

    AIX = "AIX"
    LINUX = "Linux"
    MACOS = "macOS"
    WINDOWS = "Windows"
    UNKNOWN = "unknown"


class Component(StrEnum):
    """The part of the product that reads a key database."""

    CLIENT = "backup-archive client"
    API = "API"
    STORAGE_AGENT = "storage agent"
    OPERATIONS_CENTER = "Operations Center"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Folders of one platform; empty for what it does not have."""

    client: str
    api: str
    agent: str
    gskit: str
    home: str
    source: str
    status: Status


FOLDERS: Final = {
    Platform.LINUX: Folders(
        client="/opt/tivoli/tsm/client/ba/bin",
        api="/opt/tivoli/tsm/client/api/bin64",
        agent="/opt/tivoli/tsm/StorageAgent/bin",
        gskit="/usr/local/ibm/gsk8_64/bin",
        home="~{user}/IBM/{product}/certs",
        source="GALAXY, CFGSSL, ANSIBLE",
        status=Status.DOCUMENTED,  # but for the folder of the storage agent
    ),
    Platform.AIX: Folders(
        client="/usr/tivoli/tsm/client/ba/bin64",
        api="/usr/tivoli/tsm/client/api/bin64",
        agent="/usr/tivoli/tsm/StorageAgent/bin",
        gskit="/usr/opt/ibm/gsk8_64/bin",
        home="~{user}/IBM/{product}/certs",
        source="CFGSSL",
        status=Status.DOCUMENTED,  # but for the folder of the storage agent
    ),
    Platform.MACOS: Folders(
        client="/Library/Application Support/tivoli/tsm/client/ba/bin",
        api="/Library/Application Support/tivoli/tsm/client/api/bin64",
        agent="",
        gskit="/Library/ibm/gsk8/bin",
        home="~{user}/IBM/{product}/certs",
        source="GALAXY",
        status=Status.INFERRED,  # the folder of the API: "same tree"
    ),
    Platform.WINDOWS: Folders(
        client="C:\\Program Files\\Tivoli\\TSM\\baclient",
        api="C:\\Program Files\\Common Files\\Tivoli\\TSM\\api64",
        agent="C:\\Program Files\\Tivoli\\TSM\\storageagent",
        gskit="C:\\Program Files\\IBM\\gsk8\\bin",
        home="C:\\Users\\{user}\\IBM\\{product}\\certs",
        source="GALAXY, CFGSSL, ANSIBLE",
        status=Status.DOCUMENTED,  # but for the folder of the storage agent
    ),
}

_CLIENT_NAMES: Final = ("ba", "baclient", "backup", "backup-archive")
_API_NAMES: Final = ("api", "api64", "dsmapi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A key database on its host.

    Parameters
    ----------
    folder
        Where it lies; empty where the platform is not known, and for an Operations Center, which
        keeps its certificates in a truststore of another form (TN).
    programs
        Where dsmcert of its component lies; empty likewise.
    gskit
        Where gsk8capicmd lies; empty likewise.
    user
        Who owns it, where that is not the administrator of the host.
    is_standard
        Whether dsmcert finds it by itself; else the other tool is told where it lies.
    """

    platform: Platform
    component: Component
    folder: str
    programs: str
    gskit: str
    user: str = ""
    is_standard: bool = True


def platform_of(text: str) -> Platform:
    """Return the platform that an operating system's name means.

    Examples
    --------
    >>> [str(platform_of(text)) for text in ("Linux x86-64", "WinNT", "Darwin", "AIX", "")]
    ['Linux', 'Windows', 'macOS', 'AIX', 'unknown']
    """
    folded = text.casefold()
    if "mac" in folded or "darwin" in folded:
        return Platform.MACOS
    for platform, word in (
        (Platform.LINUX, "linux"),
        (Platform.AIX, "aix"),
        (Platform.WINDOWS, "win"),
    ):
        if word in folded:
            return platform
    return Platform.UNKNOWN


def place_of(
    platform: Platform, kind: ClientKind, key_database: str, *, is_storage_protect: bool = True
) -> Place:
    """Return where a key database lies, by its name in the fleet.

    `default` is that of the client's own component, `ba` and `api` name one; a name with a slash
    is the folder itself; any other one is the operating system's user who owns it.

    Parameters
    ----------
    is_storage_protect
        Whether the client's level is at least 8.1.19: the user's folder has the newer name then
        (inferred).
    """
    folded = key_database.casefold()
    component = _component(kind, folded)
    is_named = folded == "default" or folded in (*_CLIENT_NAMES, *_API_NAMES)
    if platform is Platform.UNKNOWN or (is_named and component is Component.OPERATIONS_CENTER):
        return Place(platform=platform, component=component, folder="", programs="", gskit="")
    folders = FOLDERS[platform]
    programs = {
        Component.API: folders.api,
        Component.STORAGE_AGENT: folders.agent,
    }.get(component, folders.client)
    place = Place(
        platform=platform,
        component=component,
        folder=programs,
        programs=programs,
        gskit=folders.gskit,
    )
    if is_named:
        return place
    if is_folder(key_database):
        return replace(place, folder=key_database, is_standard=False)
    product = "StorageProtect" if is_storage_protect else "SpectrumProtect"
    home = folders.home.format(user=key_database, product=product)
    return replace(place, folder=home, user=key_database)


def is_folder(key_database: str) -> bool:
    """Whether the name of a key database is its folder, where dsmcert does not look for it."""
    return "/" in key_database or "\\" in key_database


def _component(kind: ClientKind, key_database: str) -> Component:
    if kind is ClientKind.STORAGE_AGENT:
        return Component.STORAGE_AGENT
    if kind is ClientKind.OPERATIONS_CENTER:
        return Component.OPERATIONS_CENTER
    is_api = key_database in _API_NAMES or (key_database == "default" and kind is ClientKind.API)
    return Component.API if is_api else Component.CLIENT
