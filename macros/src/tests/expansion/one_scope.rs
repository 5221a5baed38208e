/// Add two numbers.
async fn add(Args(Pair { a, b }): Args<Pair>) -> String {
    (a + b).to_string()
}
#[allow(deprecated)]
const _: () = {
    use ::toolgate::__private as __rt;
    const __TOOL: __rt::ToolDeclaration = __rt::ToolDeclaration {
        name: "add",
        title: __rt::Option::None,
        description: "Add two numbers.",
        access: __rt::Access::Scopes(__rt::Expr::Scope("mcp:tools")),
        options: __rt::Options::NONE,
        signature: |__signature| {
            <Args<Pair> as __rt::FromCall>::declare(__signature);
            <String as __rt::IntoReply>::declare(__signature);
        },
        call: |mut __call| {
            __rt::Box::pin(async move {
                let __arg0 = <Args<Pair> as __rt::FromCall>::from_call(&mut __call)?;
                <String as __rt::IntoReply>::into_reply(add(__arg0).await)
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
