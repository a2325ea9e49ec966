"""The same operations over gRPC.

`mfs_autonomy_pb2.py` is made of the .proto beside it, by the protoc of grpcio-tools 1.51: what that makes runs with the
protobuf of Debian 13 and with later ones.

    python3 -m grpc_tools.protoc -I. --python_out=. mfs_autonomy.proto
"""
