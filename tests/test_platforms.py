"""Where programs and key databases lie on each platform."""

from __future__ import annotations

import pytest

from planner.domain.fleet import ClientKind
from planner.domain.platforms import FOLDERS, Component, Platform, place_of, platform_of
from tests.golden.tables import assert_golden


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("Linux x86-64", Platform.LINUX),
        ("TDP Dom LINUXZ", Platform.LINUX),
        ("AIX", Platform.AIX),
        ("WinNT", Platform.WINDOWS),
        ("Windows", Platform.WINDOWS),
        ("Mac", Platform.MACOS),
        ("Darwin", Platform.MACOS),  # not Windows, whatever its last letters
        ("Solaris", Platform.UNKNOWN),
        ("", Platform.UNKNOWN),
    ],
)
def test_a_platform_is_known_by_its_name(text: str, platform: Platform) -> None:
    assert platform_of(text) is platform


@pytest.mark.parametrize("platform", FOLDERS)
def test_the_default_key_database_is_that_of_the_clients_component(platform: Platform) -> None:
    backup = place_of(platform, ClientKind.BACKUP, "default")
    api = place_of(platform, ClientKind.API, "default")
    assert (backup.component, api.component) == (Component.CLIENT, Component.API)
    assert backup.folder == FOLDERS[platform].client
    assert api.folder == FOLDERS[platform].api
    assert place_of(platform, ClientKind.BACKUP, "API") == api
    assert place_of(platform, ClientKind.API, "ba") == backup
    assert backup.is_standard
    assert backup.user == ""


def test_another_name_is_the_user_who_owns_the_key_database() -> None:
    unix = place_of(Platform.LINUX, ClientKind.BACKUP, "oracle")
    assert (unix.user, unix.folder) == ("oracle", "~oracle/IBM/StorageProtect/certs")
    older = place_of(Platform.WINDOWS, ClientKind.API, "svc", is_storage_protect=False)
    assert older.folder == "C:\\Users\\svc\\IBM\\SpectrumProtect\\certs"


def test_a_name_with_a_slash_is_the_folder_itself() -> None:
    place = place_of(Platform.LINUX, ClientKind.BACKUP, "/data/keys")
    assert (place.folder, place.is_standard, place.user) == ("/data/keys", False, "")


def test_nothing_is_known_of_an_unknown_platform() -> None:
    place = place_of(Platform.UNKNOWN, ClientKind.BACKUP, "default")
    assert (place.folder, place.programs, place.gskit) == ("", "", "")


def test_a_storage_agent_and_an_operations_center_have_places_of_their_own() -> None:
    agent = place_of(Platform.LINUX, ClientKind.STORAGE_AGENT, "default")
    assert (agent.component, agent.folder) == (
        Component.STORAGE_AGENT,
        "/opt/tivoli/tsm/StorageAgent/bin",
    )
    center = place_of(Platform.WINDOWS, ClientKind.OPERATIONS_CENTER, "default")
    assert (center.component, center.folder) == (Component.OPERATIONS_CENTER, "")
    assert center.platform is Platform.WINDOWS  # its shell still quotes
    assert place_of(Platform.LINUX, ClientKind.OPERATIONS_CENTER, "/oc").folder == "/oc"


def test_every_row_names_its_source() -> None:
    assert all(row.source for row in FOLDERS.values())


@pytest.mark.parametrize("platform", FOLDERS)
@pytest.mark.parametrize("name", ["default", "/data/keys", "D:\\keys", "oracle"])
def test_whatever_the_key_database_is_called_programs_are_those_of_the_platform(
    platform: Platform, name: str
) -> None:
    folders = FOLDERS[platform]
    for kind, programs in (
        (ClientKind.BACKUP, folders.client),
        (ClientKind.STORAGE_AGENT, folders.agent),
    ):
        place = place_of(platform, kind, name)
        assert (place.platform, place.programs, place.gskit) == (platform, programs, folders.gskit)
        assert place.is_standard == (name in {"default", "oracle"})
        assert place.user == ("oracle" if name == "oracle" else "")


def test_the_table_says_what_it_said() -> None:
    assert_golden("folders.csv")
