/// Says which type it is.
#[deprecated]
async fn r#type() -> &'static str {
    ""
}
#[allow(deprecated)]
const _: () = {
    use ::toolgate::__private as __rt;
    const __TOOL: __rt::ToolDeclaration = __rt::ToolDeclaration {
        name: "type",
        title: __rt::Option::None,
        description: "Says which type it is.",
        access: __rt::Access::Authenticated,
        options: __rt::Options::NONE,
        signature: |__signature| {
            <&'static str as __rt::IntoReply>::declare(__signature);
        },
        call: |__call| {
            __rt::Box::pin(async move {
                <&'static str as __rt::IntoReply>::into_reply(r#type().await)
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
