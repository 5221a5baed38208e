/// Says who is calling.
async fn whoami(who: Principal) -> String {
    who.subject().to_owned()
}
#[allow(deprecated)]
const _: () = {
    use my::gate::__private as __rt;
    const __TOOL: __rt::ToolDeclaration = __rt::ToolDeclaration {
        name: "whoami",
        title: __rt::Option::None,
        description: "Says who is calling.",
        access: __rt::Access::Authenticated,
        options: __rt::Options::NONE,
        signature: |__signature| {
            <Principal as __rt::FromCall>::declare(__signature);
            <String as __rt::IntoReply>::declare(__signature);
        },
        call: |mut __call| {
            __rt::Box::pin(async move {
                let __arg0 = <Principal as __rt::FromCall>::from_call(&mut __call)?;
                <String as __rt::IntoReply>::into_reply(whoami(__arg0).await)
            })
        },
        location: __rt::Location {
            file: __rt::file!(),
            line: __rt::line!(),
            column: __rt::column!(),
        },
    };
    __rt::inventory::submit!(__TOOL);
};
