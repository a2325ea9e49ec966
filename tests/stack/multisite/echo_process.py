"""A backend of long connections: whoever asks to speak "echo" (RFC 9110, 7.8) hears its name, then each line again."""

import asyncio
import sys

NAME, PORT = sys.argv[1], int(sys.argv[2])


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection; looks at /health are answered 200."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"\r\nupgrade: echo\r\n" not in head.lower():
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(NAME), NAME.encode()))
                continue
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            writer.write(NAME.encode() + b"\n")
            while line := await reader.readline():
                writer.write(line)
            return
    except (OSError, EOFError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=512)
    await server.serve_forever()


asyncio.run(main())
