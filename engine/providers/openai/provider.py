"""Asks a service for one answer to one prompt. It has no tools: what is not in the prompt, the model does not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from engine.errors import StepFailed
from engine.providers.base import Progress, ProviderContext, Question, Readiness, Report
from engine.providers.openai.endpoint import MODEL_VARIABLE, endpoint_of
from engine.providers.openai.extra import INSTALL, LIBRARY, is_installed
from engine.providers.openai.options import OpenAIOptions
from engine.providers.raw import RawOutput
from engine.step import Access, Answer

if TYPE_CHECKING:
    from engine.providers.openai.hearing import Hearing
    from engine.providers.openai.request import Request
    from engine.providers.openai.service import Service


class OpenAIProvider:
    """One service that speaks Chat Completions."""

    note = "the model saw only the prompt, no files"
    access: frozenset[Access] = frozenset({"read"})

    def __init__(self, context: ProviderContext, options: OpenAIOptions) -> None:
        self.name = context.name
        self.capabilities = frozenset(options.capabilities)
        self._options = options
        self._endpoint = endpoint_of(context.name, options, context.environment)
        self._service: Service | None = None

    def readiness(self) -> Readiness:
        """Ready when the extra is installed, a model is named and a key is there. Nothing is sent."""
        if not is_installed():
            return Readiness(False, "the extra `openai` is not installed", INSTALL)
        lack = self._endpoint.lack()
        if lack is not None:
            return Readiness(False, lack.why, lack.hint)
        if self._endpoint.model is None:
            return Readiness(False, "no model is named", self._name_a_model())
        remark = f"{self._endpoint.model} at {self._endpoint.address}"
        if self._endpoint.shows_key:
            remark += "; without https, others on the way can read its key"
        return Readiness(True, remark=remark)

    async def ask(self, question: Question, report: Report) -> Answer:
        """Ask once; again at once only without a part of the request that the service does not know."""
        # Loaded when first asked: it is built to look at its readiness wherever a default is looked for.
        from engine.providers.openai.request import request_for

        request = request_for(question, self._checked(question), self._options, self._endpoint)
        service = await self._connected()
        with RawOutput(question.raw) as raw:
            while True:
                try:
                    hearing = await self._heard(service, request, question.stall_timeout, raw, report)
                    break
                except StepFailed as failure:
                    declined = request.declined(failure)
                    if declined is None:
                        raise
                report(Progress("note", f"the service refuses {declined}: asked without it"))
                request = request.without(declined)
        return hearing.answer()

    async def _heard(
        self, service: Service, request: Request, stall_timeout: float, raw: RawOutput, report: Report
    ) -> Hearing:
        """One request, heard to its end."""
        from engine.providers.openai.hearing import Hearing

        hearing = Hearing(request.body["model"], self._endpoint.key.hide)

        def take(data: str) -> None:
            raw.write(data.encode(errors="replace"))
            for progress in hearing.chunk(data):
                report(progress)

        await service.ask(request.body, take, stall_timeout)
        return hearing

    def _checked(self, question: Question) -> str:
        """The model to ask, if this may be asked."""
        if question.access not in self.access:
            raise StepFailed(
                "unsupported",
                f"{self.name} has no tools and cannot be asked with {question.access!r} access",
                hint="a coding agent can do this: `mco providers` says which are ready",
            )
        if question.agent_type is not None:
            raise StepFailed("unsupported", f"{self.name} cannot be told the option 'agent_type' of a step")
        lack = self._endpoint.lack()
        if lack is not None:
            raise StepFailed(lack.reason, lack.why, hint=lack.hint)
        model = question.model or self._endpoint.model
        if model is None:
            raise StepFailed("not_found", "no model is named", hint=self._name_a_model())
        return model

    async def _connected(self) -> Service:
        # In a thread: the library and the certificates take a tenth of a second, in which other steps go on.
        if self._service is None:
            self._service = await anyio.to_thread.run_sync(self._connect)
        return self._service

    def _connect(self) -> Service:
        try:
            from engine.providers.openai.service import Service
        except ModuleNotFoundError as error:
            if error.name != LIBRARY:
                raise
            raise StepFailed("not_found", "the extra `openai` is not installed", hint=INSTALL) from None
        return Service(self._endpoint)

    def _name_a_model(self) -> str:
        table = f'write model = "…" into [providers.{self.name}]'
        return f"{table}, or set {MODEL_VARIABLE}" if self._endpoint.heeds_variables else table
