"""A CycloneDX bill of materials of what runs in production. The same lock and environment give the same bytes.

`python -m supply_chain.bill_of_materials SITE_PACKAGES OUTPUT`, in the audit environment, writes it.
"""

import json
import sys
from importlib.metadata import distributions
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from supply_chain.licences import SPELLINGS
from supply_chain.runtime import Part, runtime_parts

PROJECT = "ingest-assets"
LOCK = Path(__file__).parents[1] / "requirements.lock"


def bill_of_materials(parts: list[Part]) -> str:
    """Return it as JSON. It has no time, and its serial number follows from what it lists."""
    components = {part.name: _component(part) for part in parts}
    project = components[PROJECT]
    serial = uuid5(NAMESPACE_URL, repr(parts))
    listed = [each for each in components.values() if each is not project]
    bom = Bom(metadata=BomMetaData(component=project), components=listed, serial_number=serial)
    for part in parts:
        bom.register_dependency(components[part.name], [components[name] for name in part.needs])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _component(part: Part) -> Component:
    address = PackageURL("pypi", name=part.name, version=part.version)
    licence = " AND ".join(SPELLINGS.get(each, each) for each in part.licences)
    return Component(
        name=part.name,
        version=part.version,
        type=ComponentType.APPLICATION if part.name == PROJECT else ComponentType.LIBRARY,
        purl=address,
        bom_ref=address.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in part.hashes],
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
    )


def main() -> None:
    environment, output = sys.argv[1], Path(sys.argv[2])
    parts = runtime_parts(PROJECT, distributions(path=[environment]), LOCK)
    output.write_text(bill_of_materials(parts))
    print(f"{len(parts) - 1} packages.\n{output}")


if __name__ == "__main__":
    main()
