"""`allibe chat`: a terminal client over STOMP. (to come)"""


async def run(*a: object, **k: object) -> None: ...
