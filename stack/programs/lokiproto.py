"""Loki's push messages in protocol buffers, for those who send and those who receive them.

Built from a description, without generated code. Fields and numbers: pkg/push/push.proto of Loki 3.
`PushRequest.streams[].labels` is a stream selector's text, `{service="postgresql"}`.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.timestamp_pb2 import DESCRIPTOR as TIMESTAMP_FILE

_PACKAGE = "logproto"
_TYPES = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "uint64": descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
}
# Message -> (field, number, type, repeated). A type that is neither a string nor a number is a
# message.
_MESSAGES: Final = {
    "LabelPairAdapter": [("name", 1, "string", False), ("value", 2, "string", False)],
    "EntryAdapter": [
        ("timestamp", 1, ".google.protobuf.Timestamp", False),
        ("line", 2, "string", False),
        ("structuredMetadata", 3, ".logproto.LabelPairAdapter", True),
        ("parsed", 4, ".logproto.LabelPairAdapter", True),
    ],
    "StreamAdapter": [
        ("labels", 1, "string", False),
        ("entries", 2, ".logproto.EntryAdapter", True),
        ("hash", 3, "uint64", False),
    ],
    "PushRequest": [
        ("streams", 1, ".logproto.StreamAdapter", True),
        ("format", 2, "string", False),
    ],
}


def _described(package: str, text: str) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}/push.proto",
        package=package,
        syntax="proto3",
        dependency=[TIMESTAMP_FILE.name],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, written, repeated in fields:
            kind = text if written == "string" else written.replace(_PACKAGE, package)
            described = message.field.add(
                name=field,
                number=number,
                label=descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
                if repeated
                else descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
                type=_TYPES.get(kind, descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE),
            )
            if kind not in _TYPES:
                described.type_name = kind
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.AddSerializedFile(TIMESTAMP_FILE.serialized_pb)


def _push_request(package: str, text: str) -> Any:
    _POOL.Add(_described(package, text))
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{package}.PushRequest"))


PushRequest: Final[Any] = _push_request(_PACKAGE, "string")

RawPushRequest: Final[Any] = _push_request("lograw", "bytes")
"""The same on the wire, with strings as bytes: what arrives may not be UTF-8."""
