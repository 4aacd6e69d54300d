"""BEGIN, COMMIT, ABORT."""

from tests.integration.gateway import Site


class TestTransactions:
    """BEGIN, COMMIT and ABORT hold SENDs back until COMMIT."""

    async def test_held_sends_go_out_together_in_order_and_then_the_receipt(
        self, site: Site
    ) -> None:
        client = await site.stomp_user()
        await client.send("BEGIN", transaction="t", receipt="begun")
        assert (await client.next()).headers["receipt-id"] == "begun"
        for content in ("a", "b"):
            await client.post(content, transaction="t", receipt=f"r-{content}")
        await client.post("outside", receipt="r-outside")
        assert (await client.next()).headers["receipt-id"] == "r-outside"
        assert await site.history() == ["outside"]
        await client.send("COMMIT", transaction="t", receipt="done")
        receipts = [(await client.next()).headers["receipt-id"] for _ in range(3)]
        assert receipts == ["r-a", "r-b", "done"]
        assert await site.history() == ["outside", "a", "b"]

    async def test_a_refused_send_refuses_the_receipt_of_its_commit(self, site: Site) -> None:
        """A RECEIPT covers all that the COMMIT let go."""
        client = await site.stomp_user(**{"x-soft-errors": "true"})
        await client.subscribe("/user/queue/errors", "e")
        for commit, content, answer in (("one", " ", "MESSAGE"), ("two", "a", "RECEIPT")):
            await client.send("BEGIN", transaction="t")
            await client.post(content, transaction="t")
            await client.send("COMMIT", transaction="t", receipt=commit)
            if answer == "MESSAGE":
                refused, committed = await client.messages(2)
                assert refused.json["code"] == committed.json["code"] == "invalid_content"
                assert committed.json["receiptId"] == commit
            else:
                assert (await client.next()).headers["receipt-id"] == commit

    async def test_an_aborted_one_leaves_nothing(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.send("BEGIN", transaction="t")
        await client.post("a", transaction="t")
        await client.send("ABORT", transaction="t", receipt="r")
        assert (await client.next()).headers["receipt-id"] == "r"
        await client.send("COMMIT", transaction="t")
        assert await client.error() == ("unknown_transaction", 4400)
        assert await site.history() == []
