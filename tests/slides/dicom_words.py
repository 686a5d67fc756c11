"""Where names hide in a DICOM data set: almost every module of it has room for a person, a place or a date.

Source: DICOM PS3.15 annex E (attributes that name somebody) and PS3.3 section A.32.8 (modules of a slide).
"""

from pydicom.dataset import Dataset

from tests.slides.planted import Plant

_TEXTS = (
    *("PatientName", "PatientID", "OtherPatientNames", "PatientComments", "PatientBirthName", "PatientAddress"),
    *("AccessionNumber", "StudyID", "StudyDescription", "SeriesDescription", "ProtocolName", "ImageComments"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy"),
    *("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber"),
    *("SoftwareVersions", "AdmissionID", "RequestedProcedureDescription", "PerformedProcedureStepDescription"),
    *("ContainerIdentifier", "BarcodeValue", "LabelText", "PyramidLabel", "PyramidDescription"),
    *("PositionReferenceIndicator", "AdditionalPatientHistory", "PatientState", "DerivationDescription"),
)
_NUMBERS = ("FrameOfReferenceUID", "PyramidUID", "SynchronizationFrameOfReferenceUID", "DeviceUID")


def plant_words(dataset: Dataset, name: str, plant: Plant) -> None:
    """Plant a token in every place of a data set that has room for one."""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _TEXTS:
        setattr(dataset, keyword, plant(f"tag {keyword} of the {name}"))
    dataset.AcquisitionDateTime = _moment(plant, name)
    for keyword in _NUMBERS:
        setattr(dataset, keyword, _uid(plant, f"{keyword} of the {name}"))
    dataset.AcquisitionContextSequence = [_coded(plant, f"acquisition context of the {name}")]
    dataset.DimensionOrganizationSequence = [_dimension(plant, name)]
    dataset.SpecimenDescriptionSequence = [_specimen(plant, name)]
    dataset.ContributingEquipmentSequence = [_equipment(plant, name)]
    dataset.ReferencedImageSequence = [_reference(plant, f"referenced image of the {name}")]
    dataset.SourceImageSequence = [_reference(plant, f"source image of the {name}")]
    dataset.RequestAttributesSequence = [_request(plant, name)]
    dataset.OpticalPathSequence[0].OpticalPathDescription = plant(f"tag OpticalPathDescription of the {name}")
    dataset.OpticalPathSequence[0].IlluminationTypeCodeSequence = [_coded(plant, f"illumination of the {name}")]
    _private(dataset, plant, f"{name}")
    _private(dataset.SpecimenDescriptionSequence[0], plant, f"specimen of the {name}")
    _overlay(dataset, plant, name)


def _uid(plant: Plant, place: str) -> str:
    number = int.from_bytes(Plant()(place).encode(), "big") % 10**20 + 10**20
    plant.tokens[f"UID {place}"] = str(number)
    return f"1.2.826.0.1.3680043.8.498.{number}"


def _moment(plant: Plant, name: str) -> str:
    """Give a date and time to the second, a different one for each file."""
    second = sum(name.encode()) % 60
    moment = f"200912290959{second:02}.31{len(name) % 10}"
    plant.tokens[f"AcquisitionDateTime of the {name}"] = moment
    return moment


def _coded(plant: Plant, place: str) -> Dataset:
    item, concept = Dataset(), Dataset()
    concept.CodeValue, concept.CodingSchemeDesignator = "111701", "DCM"
    concept.CodeMeaning = plant(f"tag CodeMeaning, {place}")
    item.ValueType, item.ConceptNameCodeSequence, item.TextValue = "TEXT", [concept], plant(f"tag TextValue, {place}")
    return item


def _dimension(plant: Plant, name: str) -> Dataset:
    item = Dataset()
    item.DimensionOrganizationUID = _uid(plant, f"DimensionOrganizationUID of the {name}")
    item.DimensionDescriptionLabel = plant(f"tag DimensionDescriptionLabel of the {name}")
    return item


def _specimen(plant: Plant, name: str) -> Dataset:
    item, step, issuer = Dataset(), Dataset(), Dataset()
    item.SpecimenIdentifier = plant(f"tag SpecimenIdentifier of the {name}")
    item.SpecimenUID = _uid(plant, f"SpecimenUID of the {name}")
    item.SpecimenShortDescription = plant(f"tag SpecimenShortDescription of the {name}")
    item.SpecimenDetailedDescription = plant(f"tag SpecimenDetailedDescription of the {name}")
    issuer.LocalNamespaceEntityID = plant(f"tag issuer of the specimen of the {name}")
    item.IssuerOfTheSpecimenIdentifierSequence = [issuer]
    step.SpecimenPreparationStepContentItemSequence = [_coded(plant, f"preparation for the {name}")]
    item.SpecimenPreparationSequence = [step]
    return item


def _equipment(plant: Plant, name: str) -> Dataset:
    item = Dataset()
    for keyword in ("Manufacturer", "InstitutionName", "StationName", "OperatorsName", "ContributionDescription"):
        setattr(item, keyword, plant(f"tag {keyword} of equipment for the {name}"))
    return item


def _reference(plant: Plant, place: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.6"
    item.ReferencedSOPInstanceUID = _uid(plant, place)
    return item


def _request(plant: Plant, name: str) -> Dataset:
    item = Dataset()
    item.RequestedProcedureID = plant(f"tag RequestedProcedureID of the {name}")
    item.ScheduledProcedureStepDescription = plant(f"tag ScheduledProcedureStepDescription of the {name}")
    return item


def _private(dataset: Dataset, plant: Plant, place: str) -> None:
    block = dataset.private_block(0x0099, plant(f"tag private creator, {place}"), create=True)
    block.add_new(0x01, "LO", plant(f"tag private text, {place}"))
    block.add_new(0x02, "UN", plant(f"private bytes in UTF-16, {place}").encode("utf-16-le"))
    nested = Dataset()
    nested.PatientID = plant(f"tag PatientID in a private sequence, {place}")
    block.add_new(0x03, "SQ", [nested])


def _overlay(dataset: Dataset, plant: Plant, name: str) -> None:
    """Add a graphic overlay, which few programs show."""
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60000022, "LO", plant(f"tag OverlayDescription of the {name}"))
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60003000, "OW", plant(f"overlay pixels of the {name}").encode())
